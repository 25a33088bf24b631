"""Asking in the pages, without JavaScript: what was typed is never lost."""

import asyncio
import re
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import select

from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.models import PostTag
from microblog.runtime import EXTENSION
from tests.conftest import all_databases, both_databases
from tests.people import MakePost, MakeUser, Visit
from tests.search import index
from tests.web.asking import ASKED, FORM, shown
from tests.web.browsing import hidden


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


async def test_question_that_was_begun_is_offered_until_it_is_asked(
    visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user()
    phone, desk = await visit(mina), await visit(mina)
    begun = {"context": "question", "title": "Where is <bread>", "post": "Near\nthe harbour"}
    await phone.post("/drafts", begun | {"draft_version": "0"}, page=FORM)
    page = await desk.text(FORM)
    assert "Where is &lt;bread&gt;" in page
    assert "Near\nthe harbour" in page
    assert hidden(page, "draft_version") == "1"
    assert (await desk.post(FORM, {"title": "x"}, page=FORM)).status_code == 400
    assert "Where is &lt;bread&gt;" in await phone.text(FORM)
    asked = await desk.post(FORM, ASKED | {"draft_version": "1"}, page=FORM)
    assert asked.status_code == 303
    assert "the harbour" not in await phone.text(FORM)


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


async def test_asking_goes_on_while_the_search_server_is_away(
    app: Quart, visit: Visit, make_user: MakeUser
) -> None:
    class Away:
        name = "elastic"

        def source(self, *_: Any) -> Any:
            async def find(*_: int) -> list[int]:
                raise Unavailable(5)

            return find

    browser = await visit(await make_user())
    app.extensions[EXTENSION].search = Away()
    assert (await browser.text("/questions/similar?title=bread")).strip() == ""
    assert (await browser.post(FORM, ASKED | {"body": ""}, page=FORM)).status_code == 400
    assert (await browser.post(FORM, ASKED, page=FORM)).status_code == 303
    app.extensions[EXTENSION].search = None
