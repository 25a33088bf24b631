"""Private messages on pages, without JavaScript: who sees what, and what is kept."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select, update

from microblog.actions import messages
from microblog.actions.messages import Choices, Letter
from microblog.database import Database
from microblog.edge import limits
from microblog.models import ConversationSide, Message, User
from microblog.queries.messages import MessageRow, pair
from microblog.settings import Settings
from tests.people import Browser, MakeUser, Visit
from tests.statements import queries_of
from tests.web.browsing import hidden

SECRET = "nobody else reads 비밀이야기"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Without a worker, whose questions would be counted among the pages'."""
    return replace(settings, jobs_concurrency=0)


async def send(database: Database, sender: User, other: User, body: str = SECRET) -> MessageRow:
    async with database.write() as tx:
        return await messages.send(tx, sender, other, Letter(body), datetime.now(UTC))


def said(page: str) -> list[str]:
    """Return the texts of the messages on a page, oldest first."""
    found = re.findall(
        r'class="bubble">.*?<div class="post-body" dir="auto">(.*?)</div>', page, re.S
    )
    return [html.unescape(re.sub(r"<[^>]+>", "", one)).strip() for one in found]


def badge(page: str) -> int:
    """Return the unread number in the navigation; hidden where it is 0."""
    found = re.search(r"data-unread-of-messages( hidden)?><b>(\d+)", page)
    assert found
    assert (found[1] is not None) == (found[2] == "0")
    return int(found[2])


async def test_what_one_writes_the_other_reads_and_answers(
    make_user: MakeUser, visit: Visit
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    at_mina, at_jun = await visit(mina), await visit(jun)
    for address in ("/send_message/jun", "/messages/jun"):
        assert 'name="message"' in await at_mina.text(address)
    answer = await at_mina.post("/send_message/jun", {"message": "one\ntwo https://example.org"})
    assert answer.status_code == 303
    assert answer.location == "/messages/jun#latest"
    page = await at_jun.text("/messages")
    assert badge(page) == 1
    assert "one two https://example.org" in page
    thread = await at_jun.text("/messages/mina")
    assert said(thread) == ["one\ntwo https://example.org"]
    assert 'href="https://example.org"' in thread
    assert badge(await at_jun.text("/")) == 1, "looking changes nothing"
    up_to = hidden(thread, "up_to")
    assert (
        await at_jun.post("/send_message/mina", {"message": "three", "up_to": up_to})
    ).status_code == 303
    assert badge(await at_jun.text("/")) == 0
    mine = await at_mina.text("/messages/jun")
    assert said(mine)[-1] == "three"
    assert badge(mine) == 1
    assert 'class="seen-mark">Seen' in mine
    assert (await at_mina.post("/messages/jun/read")).status_code == 303
    assert badge(await at_mina.text("/explore")) == 0


async def test_mentions_and_hashtags_of_a_message_tell_nobody(
    database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina, jun, eve = [await make_user(name) for name in ("mina", "jun", "eve")]
    await send(database, mina, jun, "see @eve #secret")
    page = await (await visit(jun)).text("/messages/mina")
    assert 'href="/user/eve"' not in page
    assert "Nothing yet." in await (await visit(eve)).text("/notifications")
    assert SECRET not in await (await visit(jun)).text("/tag/secret")


async def test_double_click_sends_once_and_another_text_is_asked_about(
    make_user: MakeUser, visit: Visit
) -> None:
    mina, _jun = await make_user("mina"), await make_user("jun")
    browser = await visit(mina)
    fields = {"message": "once", "idempotency_key": "the form's"}
    for _ in range(2):
        assert (await browser.post("/send_message/jun", fields)).status_code == 303
    again = await browser.post("/send_message/jun", fields | {"message": "twice"})
    assert again.status_code == 400
    page = await again.get_data(as_text=True)
    assert "sent before" in page
    assert ">\ntwice</textarea>" in page
    assert said(page) == ["once"]


@pytest.mark.parametrize(
    ("text", "told"), [("", "Write something first."), ("x" * 2001, "too long by 1")]
)
async def test_what_cannot_be_sent_is_shown_again(
    make_user: MakeUser, visit: Visit, text: str, told: str
) -> None:
    browser = await visit(await make_user("mina"))
    await make_user("jun")
    answer = await browser.post("/send_message/jun", {"message": text})
    page = await answer.get_data(as_text=True)
    assert (answer.status_code, told in page, f">\n{text}</textarea>" in page) == (400, True, True)


async def test_refused_and_signed_out_keep_what_was_typed(
    database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    browser, stranger = await visit(mina), await visit()
    async with database.write() as tx:
        await messages.choose(tx, jun, Choices("nobody", read_marks=True, typing_shown=True))
    refused = await browser.post("/send_message/jun", {"message": "my long letter"})
    signed_out = await stranger.post("/send_message/jun", {"message": "my long letter"})
    assert (refused.status_code, signed_out.status_code) == (403, 401)
    for answer in (refused, signed_out):
        assert "my long letter</textarea>" in await answer.get_data(as_text=True)
    assert 'name="message"' not in await browser.text("/messages/jun")


async def test_too_many_messages_in_a_minute_are_refused(make_user: MakeUser, visit: Visit) -> None:
    browser = await visit(await make_user("mina"))
    await make_user("jun")
    token = await browser.token("/messages/jun")
    for n in range(3 * limits.MESSAGES_PER_MINUTE):
        form = {"csrf_token": token, "message": f"number {n}"}
        answer = await browser.client.post("/send_message/jun", form=form)
        if answer.status_code == 429:
            break
    assert answer.headers["Retry-After"]
    assert f"number {n}</textarea>" in await answer.get_data(as_text=True)


async def test_deleting_is_for_oneself_and_nobody_deletes_anothers(
    database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina, jun, eve = [await make_user(name) for name in ("mina", "jun", "eve")]
    row = await send(database, mina, jun)
    at_mina, at_jun, at_eve = await visit(mina), await visit(jun), await visit(eve)
    refused = [await at_eve.post(f"/message/{number}/delete") for number in (row.id, row.id + 1)]
    assert [answer.status_code for answer in refused] == [404, 404]
    bodies = [await answer.get_data(as_text=True) for answer in refused]
    assert re.sub(r"[\w.-]{30,}", "", bodies[0]) == re.sub(r"[\w.-]{30,}", "", bodies[1])
    assert (await at_eve.post("/messages/mina/delete")).status_code == 404
    assert (await at_mina.post(f"/message/{row.id}/delete")).status_code == 303
    assert said(await at_mina.text("/messages/jun")) == []
    assert said(await at_jun.text("/messages/mina")) == [SECRET]
    assert (await at_jun.post("/messages/mina/delete")).status_code == 303
    assert "No messages yet." in await at_jun.text("/messages")
    assert badge(await at_jun.text("/")) == 0


async def test_conversation_with_whom_left_is_read_but_not_written_to(
    database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina, jun, bora = [await make_user(name) for name in ("mina", "jun", "bora")]
    await send(database, jun, mina)
    async with database.write() as tx:
        gone = User.id.in_([jun.id, bora.id])
        await tx.execute(update(User).where(gone).values(deactivated_at=datetime.now(UTC)))
    browser = await visit(mina)
    page = await browser.text("/messages/jun")
    assert said(page) == [SECRET]
    assert 'name="message"' not in page
    assert "jun" in await browser.text("/messages")
    assert (await browser.post("/send_message/jun", {"message": "?"})).status_code == 403
    assert (await browser.get("/messages/bora")).status_code == 404


async def test_choices_are_kept(database: Database, make_user: MakeUser, visit: Visit) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    kept = {"messages_from": "followed", "typing_shown": "y"}
    assert (await browser.post("/settings/messages", kept)).status_code == 303
    async with database.read() as scope:
        user = await scope.get(User, mina.id)
    assert user is not None
    assert (user.messages_from, user.read_marks, user.typing_shown) == ("followed", False, True)
    refused = await browser.post("/settings/messages", {"messages_from": "friends"})
    assert refused.status_code == 400


async def test_nobody_else_comes_upon_a_message(
    database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina, jun, eve = [await make_user(name) for name in ("mina", "jun", "eve")]
    await send(database, mina, jun)
    for reader in (await visit(eve), await visit()):
        for address in ("/", "/explore", "/user/mina", "/user/jun", "/notifications", "/messages"):
            assert "비밀이야기" not in await shown(reader, address)
        for kind in ("posts", "people", "tags", "messages"):
            address = f"/search?{urlencode({'q': SECRET, 'type': kind})}"
            assert "reads</mark>" not in await shown(reader, address)
        assert said(await shown(reader, "/messages/mina")) == []


async def shown(browser: Browser, address: str) -> str:
    answer = await browser.get(address, follow_redirects=True)
    return str(await answer.get_data(as_text=True))


async def test_ten_thousand_messages_open_with_as_many_queries_as_ten(
    database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina, few, many = [await make_user(name) for name in ("mina", "few", "many")]
    await fill(database, mina, few, 10)
    await fill(database, mina, many, 10_000)
    browser, asked = await visit(mina), {}
    for name in ("few", "many"):
        page = await browser.text(f"/messages/{name}")
        asked[name] = len(await queries_of(browser, f"/messages/{name}"))
    assert said(page)[-1] == "10000"
    assert 4 <= asked["few"] == asked["many"] <= 8
    older = re.search(r'id="older"[^>]*href="([^"]+)"', page)
    assert older
    assert said(await browser.text(html.unescape(older[1])))[-1] == "9975"


async def fill(database: Database, one: User, other: User, number: int) -> None:
    """Write many messages at once."""
    low, high = pair(one.id, other.id)
    common = {"low_id": low, "high_id": high, "created_at": datetime.now(UTC)}
    common |= {"gone_for_sender": False, "gone_for_recipient": False}
    async with database.write() as tx:
        rows = [
            {**common, "sender_id": (low, high)[n % 2], "body": str(n)}
            for n in range(1, number + 1)
        ]
        await tx.insert(Message, *rows)
        last = await tx.scalar(select(func.max(Message.id)))
        zero = dict.fromkeys(("unread_count", "read_to", "seen_to", "cleared_to"), 0)
        for user_id in (low, high):
            whose = {"user_id": user_id, "other_id": low + high - user_id}
            await tx.insert(ConversationSide, {**whose, **zero, "last_id": last})
