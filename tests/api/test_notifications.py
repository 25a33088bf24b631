"""Notifications through the API: pages, what has changed, and read marks."""

from typing import Any

from tests.api.conftest import OpenProgram
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser

PATH = "/api/notifications"


def shown(page: dict[str, Any]) -> list[tuple[str, str, int, bool]]:
    """Return (kind, actor, others, read) of each item."""
    return [
        (one["kind"], one["actor"]["username"], one["others"], one["read"]) for one in page["items"]
    ]


@both_databases
async def test_pages_lead_on_and_choose_kinds(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora, chul = [await make_user(name) for name in ("mina", "bora", "chul")]
    client = await program(mina)
    for number in range(3):
        await make_post(bora, f"{number} @mina")
    for follower in (bora, chul):
        await (await program(follower)).json("PUT", "/api/me/following/mina", 204)
    first = await client.json("GET", f"{PATH}?limit=2&kinds=mention,follow")
    assert shown(first) == [("follow", "chul", 1, False), ("mention", "bora", 0, False)]
    assert first["_meta"] == {"per_page": 2, "has_more": True}
    later = await client.json("GET", first["_links"]["next"])
    assert [one["post"]["body"] for one in later["items"]] == ["1 @mina", "0 @mina"]
    assert later["_links"]["next"] is None
    back = await client.json("GET", later["_links"]["prev"])
    assert shown(back) == shown(first)
    assert shown(await client.json("GET", f"{PATH}?kinds=job")) == []
    for wrong in ("kinds=x", "kinds=mention,", "since=x", "since=1e999", "limit=0", "what=1"):
        await client.problem("GET", f"{PATH}?{wrong}", 422)


@both_databases
async def test_whoever_asks_with_the_last_time_misses_nothing(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    client = await program(mina)
    for number in range(3):
        await make_post(bora, f"{number} @mina")
    got: list[str] = []
    address: str | None = f"{PATH}?since=0&limit=2"
    while address is not None:
        page = await client.json("GET", address)
        got += [one["post"]["body"] for one in page["items"]]
        last = page["items"][-1]
        address = page["_links"]["next"]
    assert got == ["0 @mina", "1 @mina", "2 @mina"]
    assert await client.json("GET", f"{PATH}?since={last['timestamp']!r}") == {
        "items": [],
        "_meta": {"per_page": 25, "has_more": False},
        "_links": {"self": f"{PATH}?since={last['timestamp']!r}", "next": None, "prev": None},
    }
    await client.json("PUT", f"{PATH}/read", 204, json={"ids": [last["id"]]})
    page = await client.json("GET", f"{PATH}?since={last['timestamp']!r}")
    assert [(one["id"], one["read"]) for one in page["items"]] == [(last["id"], True)]


@both_databases
async def test_what_is_read_is_ones_own(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    client, other = await program(mina), await program(bora)
    posts = [await make_post(bora, f"{number} @mina") for number in range(3)]
    ids = [one["id"] for one in (await client.json("GET", PATH))["items"]]

    async def read() -> list[bool]:
        return [one["read"] for one in (await client.json("GET", PATH))["items"]]

    for body in ({"ids": ids}, {"post": str(posts[0].id)}, {}):
        await other.json("PUT", f"{PATH}/read", 204, json=body)
    assert await read() == [False, False, False]
    await client.json("PUT", f"{PATH}/read", 204, json={"ids": [ids[1], "999999"]})
    assert await read() == [False, True, False]
    await client.json("PUT", f"{PATH}/read", 204, json={"post": str(posts[0].id)})
    assert await read() == [False, True, True]
    for wrong in ({"ids": ["x"]}, {"ids": [1]}, {"post": "-1"}, {"up": 1}, {"ids": ["1"] * 101}):
        await client.problem("PUT", f"{PATH}/read", 422, json=wrong)
    await client.json("PUT", f"{PATH}/read", 204, json={})
    assert await read() == [True, True, True]
