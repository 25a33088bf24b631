"""Answers in the pages, and accepting one: in which order they stand, who is told, who may."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from microblog.actions import posts, questions
from microblog.core.cursors import Window
from microblog.core.errors import NotFound
from microblog.database import Database
from microblog.models import EventRow, User
from microblog.queries import questions as question_queries
from microblog.queries.rows import PostRow
from tests.conftest import all_databases
from tests.people import MakePost, MakeUser, Visit
from tests.web.asking import accept, row, shown, statements, told
from tests.web.browsing import written


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


async def test_many_answers_take_as_many_queries_as_few(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    """Without a server, whose own queries would be counted too."""
    mina = await make_user("mina")
    question = await make_post(mina, "Many, please", title="What do you read?")
    asked = []
    for _ in range(2):
        answers = [await make_post(mina, "This", reply_to=question.id) for _ in range(10)]
        async with database.write() as tx:
            await questions.accept(tx, mina, question.id, answers[0].id, datetime.now(UTC))
        async with database.read() as read:
            with statements() as found:
                known = await question_queries.one(read, question.id, mina.id)
                await question_queries.answers(read, known, mina.id, Window(25))
                await question_queries.accepted(read, known, mina.id)
        asked.append([each for each in found if each.startswith("SELECT")])
    assert [len(each) for each in asked] == [4, 4], asked


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
