"""Asking, answering and accepting in the pages, without JavaScript."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from microblog.actions import posts, questions
from microblog.core.errors import NotFound
from microblog.database import Database
from microblog.models import EventRow, Notification, Post, PostTag, User
from microblog.queries.rows import PostRow
from tests.conftest import all_databases, both_databases
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.search import index
from tests.web.browsing import hidden, written

FORM = "/main/question"
ASKED = {"title": "Where is the best bread?", "body": "Near the harbour", "tags": "#Bread, 빵집"}


async def row(database: Database, post_id: int) -> Post:
    async with database.read() as read:
        found = await read.get(Post, post_id)
        assert found is not None
        return found


async def told(database: Database, user: User) -> list[tuple[str, int | None]]:
    async with database.read() as read:
        statement = select(Notification.kind, Notification.post_id).order_by(Notification.id)
        found = await read.execute(statement.where(Notification.user_id == user.id))
        return [tuple(each) for each in found]


async def accept(browser: Browser, question: PostRow, answer_id: object) -> int:
    path = f"/question/{question.id}/accepted"
    answer = await browser.post(path, {"answer_id": str(answer_id)})
    return int(answer.status_code)


def shown(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-post="(\d+)"', page)]


# --- Asking ------------------------------------------------------------------------------------


@all_databases
async def test_question_is_a_post_with_a_title_and_its_tags(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user("mina"))
    answer = await browser.post(FORM, ASKED, page=FORM)
    assert answer.status_code == 303
    address = answer.headers["Location"]
    for path in (address, "/questions", "/questions/open", "/questions/mine", "/", "/explore"):
        page = await browser.text(path)
        assert "Where is the best bread?" in page, path
        assert "Open question" in page, path
    for path in ("/tag/bread", "/questions/tag/빵집"):
        assert "Where is the best bread?" in await browser.text(path), path
    assert "Where is" not in await browser.text("/questions/answered")
    async with database.read() as read:
        tags = set(await read.scalars(select(PostTag.tag)))
    assert tags == {"bread", "빵집"}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"title": "Why?"}, "too short"),
        ({"title": "W\u200b\u200b\u200b\u200by"}, "too short"),
        ({"title": "x" * 151}, "too long by 1"),
        ({"body": " "}, "Write something first."),
        ({"body": "x" * 501}, "too long by 1"),
        ({"body": "x" * 495}, "too long by"),
        ({"tags": "fine, 3.14"}, "is no hashtag"),
        ({"tags": "a b c d e f"}, "too many"),
        ({"language": "klingon"}, "language"),
    ],
)
async def test_what_cannot_be_asked_is_kept_with_the_reason(
    visit: Visit, make_user: MakeUser, wrong: dict[str, str], reason: str
) -> None:
    browser = await visit(await make_user())
    fields = ASKED | wrong
    answer = await browser.post(FORM, fields, page=FORM)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert reason in page
    assert f'value="{fields["title"]}"' in page
    assert f"\n{fields['body']}</textarea>" in page
    assert f'value="{fields["tags"]}"' in page
    assert shown(await browser.text("/questions")) == []


async def test_all_that_is_wrong_is_told_at_once(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user())
    answer = await browser.post(FORM, {"title": "", "body": "", "tags": "!"}, page=FORM)
    page = await answer.get_data(as_text=True)
    assert len(re.findall('class="field-error"', page)) == 3


async def test_title_is_a_single_line_and_shows_markup_as_it_was_typed(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    typed = ASKED | {"title": "  <b>Why</b>\r\n  {{ this }}\u202e? "}
    answer = await browser.post(FORM, typed, page=FORM)
    page = await browser.text(answer.headers["Location"])
    assert "&lt;b&gt;Why&lt;/b&gt; {{ this }}?" in page


@both_databases
async def test_form_that_is_sent_twice_asks_once(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    browser = await visit(await make_user())
    page = await browser.text(FORM)
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")} | ASKED
    sent = await asyncio.gather(*(browser.client.post(FORM, form=form) for _ in range(2)))
    assert {answer.headers["Location"] for answer in sent} == {sent[0].headers["Location"]}
    assert len(shown(await browser.text("/questions"))) == 1


async def test_other_question_with_a_spent_key_can_be_sent_again(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    page = await browser.text(FORM)
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")} | ASKED
    await browser.client.post(FORM, form=form)
    other = form | {"title": "And the best cake?"}
    answer = await browser.client.post(FORM, form=other)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    other |= {"idempotency_key": hidden(page, "idempotency_key")}
    assert (await browser.client.post(FORM, form=other)).status_code == 303


async def test_stranger_is_asked_to_log_in_and_loses_nothing(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit()
    assert (await browser.get(FORM)).status_code == 303
    answer = await browser.post(FORM, ASKED)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert hidden(page, "draft") == "\n\n".join(ASKED.values())


async def test_similar_questions_are_shown_while_the_title_is_typed(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user("mina")
    bread = await make_post(mina, "At the harbour?", title="Where is the best bread in town?")
    await make_post(mina, "Where is the best bread in town, I ask")
    await make_post(mina, "Hm", title="Who has a bicycle?")
    browser = await visit()
    for _ in ("not yet indexed", "indexed"):
        part = await browser.text("/questions/similar?title=the%20best%20bread")
        assert re.findall(r'href="([^"]+)"', part) == [f"/question/{bread.id}"]
        assert "<html" not in part
        await index(database)
    for title in ("", "%20", "from:nobody", "%F0%9F%98%80", "zzzz"):
        assert (await browser.text(f"/questions/similar?title={title}")).strip() == ""
    answer = await (await visit(mina)).post(FORM, ASKED | {"body": ""}, page=FORM)
    assert "best bread in town?" in await answer.get_data(as_text=True)


# --- Answering ---------------------------------------------------------------------------------


@all_databases
async def test_answers_stand_below_the_question_the_accepted_first_then_the_oldest(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    path = f"/question/{question.id}"
    browser = await visit(bora)
    for text in ("At Kim's", "At Lee's", "At home"):
        sent = await browser.post(f"{path}/answers", {"post": text}, page=path)
        assert sent.status_code == 303
    asker = await visit(mina)
    first, second, third = shown(await asker.text(path))[1:]
    assert await told(database, mina) == [("answer", each) for each in (first, second, third)]
    assert await accept(asker, question, third) == 303
    page = await browser.text(path)
    assert shown(page) == [question.id, third, first, second]
    assert "3 answers" in page
    assert "Accept this answer" not in page
    assert f'data-question="answered" data-accepted="{third}"' in page
    assert shown(await browser.text("/questions/answered")) == [question.id]
    assert shown(await browser.text("/questions/open")) == []
    assert (await browser.get(f"/post/{question.id}")).headers["Location"] == path


async def test_answers_have_pages(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user("mina")
    question = await make_post(mina, "Many, please", title="What do you read?")
    ids = [(await make_post(mina, f"Book {n}", reply_to=question.id)).id for n in range(60)]
    browser = await visit(mina)
    await accept(browser, question, ids[40])
    rest = [each for each in ids if each != ids[40]]
    path, found = f"/question/{question.id}", []
    for size in (26, 25, 9):
        page = await browser.text(path)
        found.append(shown(page)[1:])
        assert len(found[-1]) == size
        assert ('id="answers"' in page and " data-live>" in page) == (size == 9)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        path = more[1] if more else ""
    assert [each for page_ in found for each in page_] == [ids[40], *rest]
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back
    assert shown(await browser.text(back[1]))[1:] == found[1]


async def test_answer_that_is_refused_is_kept(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user("mina")
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    post = await make_post(mina, "No question")
    browser = await visit(await make_user("bora"))
    path = f"/question/{question.id}/answers"
    sent = await browser.post(path, {"post": "x" * 501})
    page = await sent.get_data(as_text=True)
    assert sent.status_code == 400
    assert written(page) == "x" * 501
    assert "Where is the best bread?" in page
    stale = await browser.client.post(path, form={"csrf_token": "old", "post": "Mine"})
    assert stale.status_code == 403
    assert written(await stale.get_data(as_text=True)) == "Mine"
    async with database.write() as tx:
        await posts.delete_post(tx, mina, question.id, datetime.now(UTC))
    for gone in (path, f"/question/{post.id}/answers", "/question/99999/answers"):
        sent = await browser.post(gone, {"post": "At Kim's"})
        assert sent.status_code == 404
        assert written(await sent.get_data(as_text=True)) == "At Kim's"
        json = {"Accept": "application/json"}
        assert (await browser.post(gone, {"post": "x"}, headers=json)).status_code == 404


# --- Accepting ---------------------------------------------------------------------------------


@all_databases
async def test_who_answered_is_told_once_and_no_more_when_it_is_taken_back(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, bora, chul = [await make_user(name) for name in ("mina", "bora", "chul")]
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    one = await make_post(bora, "At Kim's", reply_to=question.id)
    other = await make_post(chul, "At Lee's", reply_to=question.id)
    browser = await visit(mina)
    for _ in range(2):
        assert await accept(browser, question, one.id) == 303
    assert await told(database, bora) == [("accepted", one.id)]
    await accept(browser, question, other.id)
    assert await told(database, bora) == []
    assert await told(database, chul) == [("accepted", other.id)]
    await accept(browser, question, "")
    assert await told(database, chul) == []
    kept = await row(database, question.id)
    assert (kept.question, kept.accepted_id) == ("open", None)
    async with database.read() as read:
        kinds = list(await read.scalars(select(EventRow.kind).order_by(EventRow.id)))
    assert kinds.count("post.edited") == 3


@all_databases
async def test_both_clicks_of_two_at_once_leave_one_accepted_answer(
    make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, bora, chul = [await make_user(name) for name in ("mina", "bora", "chul")]
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    answers = [await make_post(who, "Here", reply_to=question.id) for who in (bora, chul)]

    async def choose(answer: PostRow) -> None:
        async with database.write() as tx:
            await questions.accept(tx, mina, question.id, answer.id, datetime.now(UTC))

    await asyncio.gather(*(choose(answer) for answer in answers * 3))
    accepted = (await row(database, question.id)).accepted_id
    found = [await told(database, who) for who in (bora, chul)]
    expected: Sequence[list[tuple[str, int]]] = [
        [("accepted", each.id)] if each.id == accepted else [] for each in answers
    ]
    assert found == expected


@all_databases
async def test_accepted_answer_that_is_deleted_opens_the_question_again(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    answer = await make_post(bora, "At Kim's", reply_to=question.id)
    asker, author = await visit(mina), await visit(bora)
    await accept(asker, question, answer.id)
    assert (await author.post(f"/post/{answer.id}/delete")).status_code == 303
    kept = await row(database, question.id)
    assert (kept.question, kept.accepted_id, kept.reply_count) == ("open", None, 0)
    assert shown(await asker.text("/questions/open")) == [question.id]
    assert await accept(asker, question, answer.id) == 404


async def test_only_who_asks_accepts_and_only_answers_to_it(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    another = await make_post(mina, "And", title="Where is the best cake?")
    plain = await make_post(mina, "No question")
    answer = await make_post(bora, "At Kim's", reply_to=question.id)
    foreign = await make_post(bora, "At Lee's", reply_to=another.id)
    asker, other = await visit(mina), await visit(bora)
    assert await accept(other, question, answer.id) == 404
    for answer_id in (foreign.id, question.id, plain.id, 10**6, "x", "-1", 10**30):
        assert await accept(asker, question, answer_id) == 404, answer_id
    assert await accept(asker, plain, answer.id) == 404
    answered = await (await visit()).post(f"/question/{question.id}/accepted", {"answer_id": "1"})
    assert answered.status_code == 303
    assert (await asker.get(f"/question/{plain.id}")).status_code == 404
    async with database.write() as tx:
        await posts.delete_post(tx, mina, question.id, datetime.now(UTC))
    assert await accept(asker, question, answer.id) == 404
    assert (await asker.get(f"/question/{question.id}")).status_code == 404
    assert await told(database, bora) == []


async def test_question_of_somebody_who_left_is_gone(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    mine = await make_post(bora, "Hm", title="Who answers me?")
    answer = await make_post(mina, "I do", reply_to=mine.id)
    async with database.write() as tx:
        await questions.accept(tx, bora, mine.id, answer.id, datetime.now(UTC))
        statement = update(User).where(User.id == mina.id)
        await tx.execute(statement.values(deactivated_at=datetime.now(UTC)))
    browser = await visit(bora)
    assert (await browser.get(f"/question/{question.id}")).status_code == 404
    assert shown(await browser.text("/questions")) == [mine.id]
    assert shown(await browser.text(f"/question/{mine.id}")) == [mine.id]
    part = await browser.text("/questions/similar?title=the%20best%20bread")
    assert part.strip() == ""
    with pytest.raises(NotFound):
        async with database.write() as tx:
            await questions.accept(tx, mina, question.id, None, datetime.now(UTC))
