"""Questions through the API."""

import asyncio
from typing import Any

import pytest

from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser

ASKED = {
    "title": "Where is the best bread?",
    "body": "Near the harbour",
    "tags": ["#Bread", "빵집"],
}


@both_databases
async def test_question_is_asked_answered_and_accepted(
    program: OpenProgram, stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    asker, bora = await make_user("mina"), await make_user("bora")
    mina = await program(asker)
    answer = await mina.call("POST", "/api/questions", json=ASKED)
    made = await answer.get_json()
    assert answer.status_code == 201
    assert made["question"] == {"title": ASKED["title"], "state": "open", "accepted": None}
    assert made["body"] == "Near the harbour\n\n#Bread #빵집"
    assert made["_links"]["page"] == f"/question/{made['id']}"
    assert await stranger.json("GET", answer.headers["Location"]) == made
    reply = await make_post(bora, "At Kim's", reply_to=int(made["id"]))
    path = f"/api/questions/{made['id']}/accepted"
    for _ in range(2):
        told = await mina.json("PUT", path, json={"answer_id": str(reply.id)})
        accepted = {"title": ASKED["title"], "state": "answered", "accepted": str(reply.id)}
        assert told["question"] == accepted
    lists = {
        "": 1,
        "?state=answered": 1,
        "?state=open": 0,
        "?tag=BREAD": 1,
        "?tag=x": 0,
        "?tag=!": 0,
    }
    for query, count in lists.items():
        assert len((await stranger.json("GET", f"/api/questions{query}"))["items"]) == count, query
    for _ in range(2):
        assert (await mina.json("DELETE", path))["question"]["state"] == "open"
    while not (await stranger.json("GET", "/api/search?q=is:open%20bread"))["items"]:
        await asyncio.sleep(0.05)  # a job puts it into the index; the limit of a test ends this


async def test_pages_of_questions_follow_their_links(
    stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    ids = [str((await make_post(mina, "Hm", title=f"Question {n}?")).id) for n in range(5)]
    await make_post(mina, "No question")
    address, found = "/api/questions?limit=2", []
    while address:
        page = await stranger.json("GET", address)
        found += [each["id"] for each in page["items"]]
        address = page["_links"]["next"]
    assert found == ids[::-1]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"title": "Why?"}, {"title"}),
        ({"title": "", "body": "", "tags": ["!"]}, {"title", "body", "tags"}),
        ({"tags": ["x"] * 6}, {"tags"}),
        ({"body": "x" * 501}, {"body"}),
        ({"language": "klingon"}, {"language"}),
    ],
)
async def test_mistakes_are_told_by_their_fields(
    program: OpenProgram, make_user: MakeUser, wrong: dict[str, Any], fields: set[str]
) -> None:
    mina = await program(await make_user())
    answer = await mina.call("POST", "/api/questions", json=ASKED | wrong)
    assert answer.status_code == 422
    assert set((await answer.get_json(force=True))["errors"]) == fields


async def test_repeated_request_asks_once(program: OpenProgram, make_user: MakeUser) -> None:
    mina = await program(await make_user())
    headers = {"Idempotency-Key": "k1"}
    made = [
        await (await mina.call("POST", "/api/questions", json=ASKED, headers=headers)).get_json()
        for _ in range(2)
    ]
    assert made[0] == made[1]
    other = ASKED | {"title": "And the best cake?"}
    answer = await mina.call("POST", "/api/questions", json=other, headers=headers)
    assert answer.status_code == 422


async def test_others_questions_and_no_answers_are_refused_as_if_they_were_not_there(
    program: OpenProgram, stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", title="Where is the best bread?")
    plain = await make_post(mina, "No question")
    reply = await make_post(bora, "At Kim's", reply_to=question.id)
    asker, other = await program(mina), await program(bora)
    path = f"/api/questions/{question.id}/accepted"
    refused = [
        (other, path, str(reply.id)),
        (asker, path, str(plain.id)),
        (asker, path, "x"),
        (asker, f"/api/questions/{plain.id}/accepted", str(reply.id)),
        (asker, "/api/questions/0/accepted", str(reply.id)),
    ]
    answers = [await who.call("PUT", p, json={"answer_id": a}) for who, p, a in refused]
    answers += [await who.call("DELETE", p) for who, p, _ in refused if p != path or who is other]
    assert {answer.status_code for answer in answers} == {404}
    assert len({await answer.get_data() for answer in answers}) == 1
    assert (await stranger.call("DELETE", path)).status_code == 401
    assert (await stranger.call("GET", "/api/questions?state=x")).status_code == 422
    both = "/api/questions?state=open&tag=bread"
    assert (await stranger.call("GET", both)).status_code == 422
