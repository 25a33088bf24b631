"""The AsyncAPI document of `/live`: it is one, and what really comes is as it says."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from microblog.actions import departures, exports, messages, notifications, posts
from microblog.actions.messages import Letter
from microblog.api import asyncapi
from microblog.api.live_schemas import ITEMS
from microblog.core.events import Kind
from microblog.database import Database
from microblog.live.channel import STEERING
from microblog.models import User
from microblog.settings import Settings
from tests.api.programs import Program
from tests.api.test_openapi import close
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, access_token
from tests.serving import Serving

# npm @asyncapi/specs 6.11.1, schemas/3.0.0-without-$id.json, Apache licence 2.0.
SPECIFICATION = Path(__file__).parent / "asyncapi-3.0.0.schema.json.gz"


@pytest.fixture
def document() -> dict[str, Any]:
    return asyncapi.document("localhost", is_secure=False)


async def test_document_is_served_for_the_host_that_was_asked(
    stranger: Program, document: dict[str, Any]
) -> None:
    found = await stranger.json("GET", "/api/asyncapi.json")
    assert found == json.loads(json.dumps(document))
    assert found["servers"]["here"] == {"host": "localhost", "protocol": "ws"}


def test_document_is_complete() -> None:
    assert set(ITEMS) == set(Kind) - STEERING - {Kind.UNKNOWN}


async def test_document_is_an_asyncapi_document(document: dict[str, Any]) -> None:
    validator = Draft7Validator(json.loads(gzip.decompress(SPECIFICATION.read_bytes())))
    assert [str(error.message)[:200] for error in validator.iter_errors(document)] == []
    wrong = document | {"channels": {"live": {"address": 7}}}
    assert list(validator.iter_errors(wrong)) != []


def judge(document: dict[str, Any], name: str) -> Draft202012Validator:
    """Make a validator of a frame, which takes no undocumented field."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(close(json.loads(json.dumps(whole))))


async def end(database: Database, who: User, other: User, message_id: int) -> None:
    """Let somebody go after their message was read and deleted."""
    now = datetime.now(UTC)
    async with database.write() as tx:
        await messages.mark_read(tx, other, who, message_id, now)
        await messages.delete_message(tx, other, message_id, who.id)
        await departures.deactivate(tx, who, now)


async def test_frames_are_as_documented(
    document: dict[str, Any],
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina, june = await make_user("mina"), await make_user("june")
    token = await access_token(database, settings, mina)
    frames: list[dict[str, Any]] = []
    async with listening(server.live_url, topics="explore", token=token, since="x") as client:
        frames.append(await client.frame())
        assert frames[-1]["type"] == "resync"
        await client.say({"type": "subscribe", "topic": f"user:{june.id}"})
        frames.append(await client.frame_of("subscribed"))
        first = await make_post(june, "hello @mina")
        second = await make_post(mina, "good morning", reply_to=first.id)
        async with database.write() as tx:
            await notifications.mark_read(tx, mina.id, None, datetime.now(UTC))
            await exports.start(tx, mina)
        third = await make_post(june, "again @mina")
        async with database.write() as tx:
            await posts.delete_post(tx, june, third.id, datetime.now(UTC))
        async with database.write() as tx:
            letter = await messages.send(tx, june, mina, Letter("hello"), datetime.now(UTC))
        await client.item("message")
        await end(database, june, mina, letter.id)
        await client.item("user.presence")
    assert second.reply_to_id == first.id
    seen = {item["kind"] for item in client.items}
    assert seen >= {"post.published", "post.counts", "post.deleted", "notification"}
    assert seen >= {"notifications.read", "user.changed", "user.presence", "job"}
    assert seen >= {"message", "message.deleted", "conversation"}
    events = {"type": "events", "cursor": client.cursor, "items": client.items}
    for frame in [*frames, events]:
        errors = judge(document, frame["type"].title()).iter_errors(frame)
        assert [f"{list(error.path)} {error.message}"[:300] for error in errors] == []
