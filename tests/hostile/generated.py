"""Requests made out of the API's own document, good and bad ones, by schemathesis; for S1."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import EngineEvent, NonFatalError, ScenarioFinished

from microblog.actions import accounts, messages, posts
from microblog.actions.accounts import NewAccount
from microblog.actions.messages import Letter
from microblog.actions.posts import Draft
from microblog.database import open_database
from microblog.settings import Settings
from tests.people import hashed
from tests.services import AppServer

PASSWORD = "neither too short nor guessed"


@dataclass
class Tried:
    """How many requests were made, and what was wrong with the answers."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    times: dict = field(default_factory=dict)


async def furnish(path: Path) -> dict[str, list[str]]:
    database = open_database(Settings(database_url=f"sqlite:///{path}"))
    now = datetime.now(UTC)
    people = {}
    async with database.write() as tx:
        for name, role in (("yuna", "member"), ("ruth", "admin"), ("noor", "member")):
            people[name] = await accounts.register(
                tx, NewAccount(name, f"{name}@example.org", hashed(PASSWORD), role=role), now
            )
    made = []
    async def post(who, text, **how):
        async with database.write() as tx:
            row = await posts.publish(tx, people[who], Draft(text, **how), now)
        made.append(str(row.id))
        return row.id
    for name in people:
        first = await post(name, f"Hello #seoul from {name}")
        for other in people:
            await post(other, "Indeed @noor", reply_to=first)
    question = await post("noor", "Near the harbour", title="Where is the best bread?")
    answer = await post("yuna", "At Kim's", reply_to=question)
    for a in ("noor",):
        for b in ("yuna", "ruth"):
            async with database.write() as tx:
                await messages.send(tx, people[a], people[b], Letter("Hi"), now)
                await messages.send(tx, people[b], people[a], Letter("Hi too"), now)
    await database.close()
    return {
        "posts": made, "people": [*people, *(str(p.id) for p in people.values())],
        "questions": [str(question)], "messages": ["1", "2", "3", "4"], "families": ["1", "2", "3"],
        "contexts": ["post", "question", f"reply:{first}"],
    }


class Door:
    def __init__(self, url: str, name: str | None) -> None:
        self.url, self.name = url, name
        self.token: str | None = None

    def get(self, case: Any, context: Any) -> Any:
        if self.name is None:
            return None
        if case.operation.path == "/api/tokens" and case.operation.method == "post":
            return httpx.BasicAuth(self.name, PASSWORD)._auth_header
        if self.token is None:
            answer = httpx.post(f"{self.url}/api/tokens", auth=(self.name, PASSWORD))
            assert answer.status_code == 200, answer.text
            self.token = answer.json()["access_token"]
        return f"Bearer {self.token}"

    def set(self, case: Any, data: Any, context: Any) -> None:
        case.headers = case.headers or {}
        if data is not None:
            case.headers["Authorization"] = data


def config(known, url, examples, phases):
    names = {"post_id": "posts", "who": "people", "question_id": "questions",
             "message_id": "messages", "family_id": "families", "context": "contexts"}
    return SchemathesisConfig.from_dict({
        "base-url": url,
        "suppress-health-check": ["all"],
        "seed": 1,
        "continue-on-failure": True,
        "dictionaries": {name: {"values": values} for name, values in known.items()},
        "parameters": {f"path.{name}": {"dictionary": d, "probability": 0.6} for name, d in names.items()},
        "generation": {"max-examples": examples, "no-shrink": True, "deterministic": True, "database": "none"},
        "phases": {n: {"enabled": n in phases} for n in ("examples", "coverage", "fuzzing", "stateful")},
        "request-timeout": 10,
        "checks": {"object_level_authorization": {"enabled": False}},
    })


def tried(server, known, role, examples, phases=("examples", "coverage", "fuzzing", "stateful")) -> Tried:
    document = httpx.get(f"{server.url}/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document, config=config(known, server.url, examples, phases))
    door = Door(server.url, role)
    if role is not None:
        schema.auth(refresh_interval=None)(type("Bound", (), {
            "get": lambda _, case, ctx: door.get(case, ctx),
            "set": lambda _, case, data, ctx: door.set(case, data, ctx)}))
    found = Tried()

    @schema.hook
    def after_call(context, case, response):
        where = f"{case.operation.method.upper()} {case.operation.path}"
        if response.status_code < 300 and case.method != "GET" and "/api/tokens" in where or where.endswith("/api/me"):
            door.token = None

    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            found.errors.append(f"{event.label}: {event.value!r}"[:600])
        if isinstance(event, ScenarioFinished):
            recorder = event.recorder
            found.cases += len(recorder.interactions)
            found.times[event.phase.value] = found.times.get(event.phase.value, 0) + event.elapsed_time
            for one in recorder.interactions.values():
                if one.response is not None:
                    found.statuses[one.response.status_code] += 1
            for case_id, checks in recorder.checks.items():
                for check in checks:
                    found.checks[check.name] += 1
                    if check.status == Status.FAILURE:
                        case = recorder.cases[case_id].value
                        info = check.failure_info
                        found.failures.append((check.name, recorder.label,
                            f"[{event.phase.value}] {info.failure.title}: {info.failure.message[:700]}\n   {info.code_sample[:900]}\n   -> " + (lambda r: f"{r.status_code} {r.text[:400]}" if r is not None else "none")(recorder.interactions[case_id].response if case_id in recorder.interactions else None)))
    return found
