"""How the tests of what goes wrong publish, one post or thousands, and wait for it to be shown."""

import asyncio
import contextlib
import json
import secrets

import httpx

from tests.faults.sites import Site
from tests.live.clients import LiveClient
from tests.services import AppServer


def unique(name: str) -> str:
    return f"{name}_{secrets.token_hex(4)}"


def request_of(token: str, body: str, key: str) -> bytes:
    """Write a request that posts a text, as it goes over the wire."""
    content = json.dumps({"body": body}).encode()
    head = (
        "POST /api/posts HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Authorization: Bearer {token}",
        f"Idempotency-Key: {key}",
        f"Content-Length: {len(content)}",
    )
    return "\r\n".join((*head, "", "")).encode() + content


async def post(server: AppServer, token: str, body: str, key: str | None = None) -> str:
    """Post a text, again and again until it is acknowledged; return its id."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": key or secrets.token_hex(16),
    }
    async with asyncio.timeout(30), httpx.AsyncClient(timeout=10, verify=False) as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await http.post(
                    f"{server.url}/api/posts", json={"body": body}, headers=headers
                )
                if answer.status_code == 201:
                    return str(answer.json()["id"])
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.05)


async def shown(client: LiveClient, post_id: str, seconds: float = 10) -> None:
    """Read until a post is shown."""
    async with asyncio.timeout(seconds):
        while post_id not in [item["data"]["id"] for item in client.items]:
            await client.frame(seconds)


async def fill(site: Site, like: str, count: int) -> None:
    """Publish a post again, many times: more than the kernel takes for a client that reads none."""
    await site.rows(
        "INSERT INTO event (kind, actor_id, user_id, ref_id, created_at) "
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f"SELECT e.kind, e.actor_id, NULL, NULL, e.created_at FROM n, event e WHERE e.id = {like}"
    )
    await site.rows(
        "INSERT INTO post (id, author_id, body, visibility, created_at) "
        "SELECT e.id, p.author_id, p.body, p.visibility, p.created_at FROM event e, post p "
        f"WHERE p.id = {like} AND e.id > {like} AND e.kind = 'post.published'"
    )
