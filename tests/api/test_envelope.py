"""What surrounds the calls: caching, methods, and pages of other sites."""

import asyncio
import re

import pytest
from quart import Quart

from microblog.database import Database
from microblog.settings import Settings
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.people import MakePost, MakeUser, access_token
from tests.serving import Serving

ELSEWHERE = "https://elsewhere.example"


async def test_unchanged_answer_is_not_sent_again(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    client = await program(mina)
    first = await client.call("GET", "/api/posts")
    held = {"If-None-Match": first.headers["ETag"]}
    again = await client.call("GET", "/api/posts", headers=held)
    assert (again.status_code, await again.get_data()) == (304, b"")
    await make_post(mina)
    assert (await client.call("GET", "/api/posts", headers=held)).status_code == 200
    assert "Authorization" in first.headers["Vary"]
    assert first.headers["Cache-Control"] == "private, no-cache"


async def test_compressed_answer_keeps_its_version(
    stranger: Program, make_user: MakeUser, make_post: MakePost
) -> None:
    await make_post(await make_user(), "x" * 400 + " #long")
    plain = await stranger.call("GET", "/api/posts")
    squeezed = await stranger.call("GET", "/api/posts", headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert squeezed.headers["ETag"] == plain.headers["ETag"]


async def test_head_answers_as_get_without_the_body(server: Serving) -> None:
    told, whole = await send(server, "GET /api/users")
    head, nothing = await send(server, "HEAD /api/users")
    assert head[0] == told[0] == "HTTP/1.1 200"
    for name in ("content-length:", "content-type:", "etag:"):
        assert the(name, head) == the(name, told)
    assert len(whole) > 0
    assert nothing == b""


async def test_head_of_the_stream_ends(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    token = await access_token(database, settings, await make_user("mina"))
    lines = (f"Authorization: Bearer {token}", "Accept: text/event-stream")
    async with asyncio.timeout(30):
        head, nothing = await send(server, "HEAD /api/events?since=0", *lines)
    assert (head[0], nothing) == ("HTTP/1.1 200", b"")
    assert the("content-type:", head) == "content-type: text/event-stream; charset=utf-8"
    assert server.runtime.sockets == 0


async def test_answer_without_content_says_nothing_of_content(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    await make_user("june")
    token = await access_token(database, settings, mina)
    head, nothing = await send(
        server, "PUT /api/me/following/june", f"Authorization: Bearer {token}", "Content-Length: 0"
    )
    assert head[0] == "HTTP/1.1 204"
    assert not [line for line in head if line.startswith(("content-length:", "content-type:"))]
    assert nothing == b""


async def send(server: Serving, request: str, *lines: str) -> tuple[list[str], bytes]:
    """Send a request by hand; return the lines of the answer's head, and its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (f"{request} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", "")
    writer.write("\r\n".join(head).encode())
    answer, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *rest = answer.decode().split("\r\n")
    return [status.strip(), *(line.lower() for line in rest)], body


def the(name: str, head: list[str]) -> str:
    (found,) = [line for line in head if line.startswith(name)]
    return found


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/posts", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/api/posts/1/thread", {"GET", "HEAD", "OPTIONS"}),
        ("/api/tokens", {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}),
        ("/api/me/following/1", {"PUT", "DELETE", "OPTIONS"}),
    ],
)
async def test_method_that_is_not_possible_is_told_which_are(
    stranger: Program, path: str, allowed: set[str]
) -> None:
    answer = await stranger.call("PATCH", path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/posts"), ("DELETE", "/api/posts/1"), ("PUT", "/api/tokens")]
)
async def test_preflight_lets_pages_of_any_site_in_but_never_with_cookies(
    stranger: Program, method: str, path: str
) -> None:
    asked = {
        "Origin": ELSEWHERE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    answer = await stranger.call("OPTIONS", path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/api/posts", "/api/timelines/home", "/api/nothing"])
async def test_pages_of_any_site_may_read_answers_and_refusals(
    stranger: Program, path: str
) -> None:
    answer = await stranger.call("GET", path, headers={"Origin": ELSEWHERE})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_pages_of_other_sites_may_read_nothing_outside_the_api(stranger: Program) -> None:
    for path in ("/explore", "/healthz", "/apicot"):
        answer = await stranger.call("GET", path, headers={"Origin": ELSEWHERE})
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_program_on_another_site_publishes_with_its_token(
    program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await program(await make_user())
    headers = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}
    await mina.json("POST", "/api/posts", 201, json={"body": "From afar"}, headers=headers)


async def test_entry_leads_to_what_is_there(stranger: Program) -> None:
    entry = await stranger.json("GET", "/api")
    for name in ("openapi", "users", "posts", "public"):
        await stranger.json("GET", entry["_links"][name])


async def test_entry_leads_to_every_address(app: Quart, stranger: Program) -> None:
    entry = await stranger.call("GET", "/api")
    links = (await entry.get_json())["_links"]
    told = {address.partition("{?")[0] for address in links.values()}
    addresses = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()
    }
    assert {address for address in addresses if address.startswith("/api")} <= told
    assert told <= addresses
    assert '</api/openapi.json>; rel="service-desc"' in entry.headers["Link"]


@pytest.mark.parametrize("path", ["/api/users", "/api/posts", "/api/questions?state=open"])
async def test_links_lead_from_the_first_page_to_the_last_and_keep_what_was_asked(
    stranger: Program, make_user: MakeUser, make_post: MakePost, path: str
) -> None:
    people = [await make_user(name) for name in ("ann", "bob", "cem")]
    for number in range(3):
        await make_post(people[0], f"Near {number}", title=f"Where is the bread {number}?")
        await make_post(people[0], "No question")
    limit = "per_page" if path == "/api/users" else "limit"
    address: str | None = f"{path}{'&' if '?' in path else '?'}{limit}=1"
    seen: list[str] = []
    while address is not None:
        answer = await stranger.call("GET", address)
        page = await answer.get_json()
        seen += [item["id"] for item in page["items"]]
        address = page["_links"]["next"]
        assert (f'<{address}>; rel="next"' in answer.headers["Link"]) is (address is not None)
    assert len(seen) == len(set(seen)) == {"/api/posts": 6}.get(path, 3)
