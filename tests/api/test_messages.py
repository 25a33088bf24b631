"""Private messages through the API."""

import asyncio

import pytest

from microblog.edge import limits
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import MakeUser


@both_databases
async def test_two_programs_write_to_each_other(program: OpenProgram, make_user: MakeUser) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    at_mina, at_jun = await program(mina), await program(jun)
    answer = await at_mina.call("POST", "/api/messages", json={"to": "jun", "body": "Hi <b>"})
    made = await answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/messages/{jun.id}")
    assert "Hi &lt;b&gt;" in made["html"]
    assert (made["from"], made["to"], made["mine"]) == (str(mina.id), str(jun.id), True)
    (line,) = (await at_jun.json("GET", "/api/messages"))["items"]
    assert (line["with"]["username"], line["unread_count"]) == ("mina", 1)
    page = await at_jun.json("GET", f"/api/messages/{mina.id}")
    assert page["items"] == [made | {"mine": False}]
    assert page["can_write"] is True
    assert (await at_jun.json("GET", "/api/messages"))["items"][0]["unread_count"] == 1
    await at_jun.json("PUT", "/api/messages/mina/read", 204, json={"up_to": made["id"]})
    assert (await at_mina.json("GET", "/api/messages/jun"))["conversation"]["seen_to"] == made["id"]
    await at_jun.json("DELETE", f"/api/messages/mina/{made['id']}", 204)
    assert (await at_jun.json("GET", "/api/messages"))["items"] == []
    assert (await at_mina.json("GET", "/api/messages/jun"))["items"] == [made]
    await at_mina.json("DELETE", "/api/messages/jun", 204)
    assert (await at_mina.json("GET", "/api/messages/jun"))["items"] == []


async def test_pages_go_back_without_holes_or_doubles(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina, _jun = await program(await make_user("mina")), await make_user("jun")
    for n in range(5):
        await mina.json("POST", "/api/messages", 201, json={"to": "jun", "body": str(n)})
    address, found = "/api/messages/jun?limit=2", []
    while address:
        page = await mina.json("GET", address)
        found += [item["body"] for item in page["items"]]
        address = page["_links"]["next"]
    assert found == ["4", "3", "2", "1", "0"]


async def test_repeated_request_sends_once(program: OpenProgram, make_user: MakeUser) -> None:
    mina, _jun = await program(await make_user("mina")), await make_user("jun")
    how = {"headers": {"Idempotency-Key": "k"}}
    body = {"to": "jun", "body": "once"}
    answers = await asyncio.gather(
        *(mina.json("POST", "/api/messages", 201, json=body, **how) for _ in range(5))
    )
    assert all(answer == answers[0] for answer in answers)
    assert len((await mina.json("GET", "/api/messages/jun"))["items"]) == 1
    told = await mina.problem("POST", "/api/messages", 422, json=body | {"body": "x"}, **how)
    assert list(told["errors"]) == ["idempotency_key"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *(({"to": "jun", "body": ""}, 422), ({"to": "jun", "body": "x" * 2001}, 422)),
        *(({"to": "nobody_here", "body": "x"}, 404), ({"to": "mina", "body": "x"}, 404)),
        *(({"to": "0", "body": "x"}, 404), ({"to": "jun", "body": "x", "sender_id": 1}, 422)),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    program: OpenProgram, make_user: MakeUser, body: dict[str, str], status: int
) -> None:
    mina, _jun = await program(await make_user("mina")), await make_user("jun")
    await mina.problem("POST", "/api/messages", status, json=body)
    assert (await mina.json("GET", "/api/messages"))["items"] == []


async def test_anothers_message_is_like_one_that_does_not_exist(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina, eve = [await program(await make_user(name)) for name in ("mina", "eve")]
    await make_user("jun")
    made = await mina.json("POST", "/api/messages", 201, json={"to": "jun", "body": "secret"})
    told = [
        await eve.problem("DELETE", f"/api/messages/{who}/{number}", 404)
        for who in ("mina", "jun")
        for number in (made["id"], "999999", "x")
    ]
    assert all(each == told[0] for each in told)
    assert (await eve.json("GET", "/api/messages/mina"))["items"] == []
    await eve.problem("DELETE", "/api/messages/mina", 404)


async def test_limit_is_of_messages_alone(
    program: OpenProgram, stranger: Program, make_user: MakeUser
) -> None:
    mina, _jun = await program(await make_user("mina")), await make_user("jun")
    body = {"to": "jun", "body": "again"}
    sent = 0
    while (await mina.call("POST", "/api/messages", json=body)).status_code == 201:
        sent += 1
        assert sent <= 3 * limits.MESSAGES_PER_MINUTE
    assert sent >= limits.MESSAGES_PER_MINUTE
    await mina.json("POST", "/api/posts", 201, json={"body": "A post is another thing"})
    for path in ("/api/messages", "/api/messages/jun"):
        await stranger.problem("GET", path, 401)
