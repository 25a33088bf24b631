"""`/metrics`: for whom it is, and that it counts what happened."""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from microblog.database import Database
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.live.clients import listening
from tests.people import MakePost, MakeUser
from tests.serving import Serving, serving

TOKEN = "a token for who looks after it, 32 bytes"
LINE = re.compile(r"(\w+)(?:\{(.*)\})? ([0-9.e+-]+)")


def read(text: str) -> dict[str, float]:
    """Return each sample of an answer by its name and labels."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = [LINE.fullmatch(line) for line in lines]
    assert None not in found, lines
    return {f"{m[1]}{{{m[2]}}}" if m[2] else m[1]: float(m[3]) for m in found if m}


async def figures(server: Serving, **headers: str) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return read(answer.text)


@all_databases
async def test_metrics_tell_what_happened(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    async with (
        httpx.AsyncClient(base_url=server.url) as http,
        listening(server.live_url, topics="explore") as client,
    ):
        for path in ("/user/mina", "/user/Mina", "/user/nobody", "/no/such/page"):
            await http.get(path)
        await http.request("BREW", "/user/mina")
        post = await make_post(mina, "Hello")
        await client.item("post.published")
        told = await figures(server)
    route = 'method="GET",route="/user/<username>"'
    assert told[f'microblog_requests_total{{{route},status="200"}}'] >= 1
    assert told[f'microblog_requests_total{{{route},status="404"}}'] == 1
    assert told['microblog_requests_total{method="GET",route="other",status="404"}'] == 1
    assert not any("BREW" in name or "nobody" in name for name in told)
    assert told[f"microblog_request_seconds_count{{{route}}}"] == 3
    assert told["microblog_sockets"] == 1
    assert told["microblog_processes"] == 1
    assert told["microblog_delivery_seconds_count"] >= 1
    assert told["microblog_deliveries_total"] >= 1
    assert told["microblog_log_head"] == told["microblog_log_position"] >= post.id
    assert told["microblog_log_lag"] == 0
    assert told["microblog_database_up"] == 1
    assert told["microblog_database_connections_open"] >= 1
    assert told["microblog_database_connections_most"] >= 15
    assert told['microblog_jobs{kind="prune",state="waiting"}'] == 1
    assert (await figures(server))["microblog_sockets"] == 0


async def test_metrics_are_for_this_machine_alone(server: Serving) -> None:
    refused: list[dict[str, str]] = [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "blog.example.org"},
        {"Host": "127.0.0.1.example.org"},
        {"Host": "["},
        {"Host": "blog.example.org", "Authorization": f"Bearer {TOKEN}"},
    ]
    async with httpx.AsyncClient(base_url=server.url) as http:
        for headers in refused:
            answer = await http.get("/metrics", headers=headers)
            assert answer.status_code in {400, 403}, headers
            assert "microblog_requests" not in answer.text
        for host in ("localhost", "[::1]:80", "127.0.0.1:1"):
            assert (await http.get("/metrics", headers={"Host": host})).status_code == 200, host
        told = (await http.get("/metrics", headers=refused[0])).text
        assert "MICROBLOG_METRICS_TOKEN" in told


async def test_with_a_token_metrics_are_for_who_has_it(settings: Settings) -> None:
    async with serving(replace(settings, metrics_token=TOKEN)) as server:
        far: dict[str, Any] = {"Host": "blog.example.org", "X-Forwarded-For": "192.0.2.1"}
        told = await figures(server, Authorization=f"Bearer {TOKEN}", **far)
        assert told["microblog_processes"] == 1
        async with httpx.AsyncClient(base_url=server.url) as http:
            for wrong in (
                "",
                "Bearer",
                f"Bearer {TOKEN}x",
                f"Basic {TOKEN}",
                "Bearer 한",
            ):
                headers = {"Authorization": wrong.encode()} if wrong else {}
                answer = await http.get("/metrics", headers=headers)
                assert answer.status_code == 403, wrong


async def test_metrics_say_that_the_database_is_away(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise ConnectionError("away")

    monkeypatch.setattr(server.runtime.database._store, "reading", away)
    told = await figures(server)
    assert told["microblog_database_up"] == 0
    assert "microblog_log_head" not in told
    assert told["microblog_processes"] == 1
