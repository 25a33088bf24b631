"""The AsyncAPI document (asyncapi.com, 3.0.0) of `/live`, made from `live_schemas`."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from microblog.api.live_schemas import HEARD, ITEMS, SAID
from microblog.api.openapi import API_VERSION

DESCRIPTION = """\
What happens, as it happens, by WebSocket. Ask for the subprotocols `microblog.v1` and
`bearer.<access token>`. Keep the last `cursor` that a frame tells, except that of `hello`, and
ignore items whose `id` is not above the one you had; come back with
`?since=<cursor>&epoch=<epoch>`, and nothing is missing. `GET /api/events` tells the same items by
the same cursor.
"""
QUERY = {
    "since": "The cursor up to which you have everything; without it, that of now.",
    "epoch": "The history that the cursor is of.",
    "topics": "With commas: `home`, `explore`, `user:<id>`, `post:<id>`, `tag:<name>`; 50 at most. "
    "What is your own comes without a topic.",
    "lang": "The language of what is told in words.",
}
_SCHEMAS = "#/components/schemas/"


def document(host: str, *, is_secure: bool) -> dict[str, Any]:
    """Return the document of the server at `host`."""
    server = {"host": host, "protocol": "wss" if is_secure else "ws"}
    return _made() | {"servers": {"here": server}}


@cache
def _made() -> dict[str, Any]:
    schemas = _schemas()
    sent = {model.__name__: _message(model) for model in SAID}
    sent["Events"] = {
        "name": "events",
        "title": "Events",
        "summary": "What happened, oldest first.",
        "payload": {"$ref": f"{_SCHEMAS}Events"},
    }
    taken = {model.__name__: _message(model) for model in HEARD}
    query = {name: {"type": "string", "description": told} for name, told in QUERY.items()}
    live = {
        "address": "/live",
        "messages": sent | taken,
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {"type": "object", "properties": query},
                "bindingVersion": "0.1.0",
            }
        },
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Microblog", "version": API_VERSION, "description": DESCRIPTION},
        "channels": {"live": live},
        "operations": {
            "tell": _operation("send", "Tell what happens.", sent),
            "hear": _operation("receive", "Hear what a client wants.", taken),
        },
        "components": {"schemas": schemas},
    }


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [*SAID, *HEARD, *ITEMS.values()]
    asked: list[tuple[type[BaseModel], Any]] = [(each, "serialization") for each in set(models)]
    _, whole = models_json_schema(asked, ref_template=f"{_SCHEMAS}{{model}}")
    schemas: dict[str, Any] = whole["$defs"]
    items = [
        {
            "type": "object",
            "required": ["id", "kind", "data"],
            "properties": {
                "id": {"type": "string"},
                "kind": {"const": str(kind)},
                "data": {"$ref": f"{_SCHEMAS}{model.__name__}"},
            },
        }
        for kind, model in ITEMS.items()
    ]
    schemas["Events"] = {
        "type": "object",
        "required": ["type", "cursor", "items"],
        "properties": {
            "type": {"const": "events"},
            "cursor": {"type": "string"},
            "items": {"type": "array", "items": {"oneOf": items}},
        },
    }
    return schemas


def _message(model: type[BaseModel]) -> dict[str, Any]:
    told = (model.__doc__ or "").strip()
    return {
        "name": model.model_fields["type"].annotation.__args__[0],  # type: ignore[union-attr]
        "title": model.__name__,
        "summary": told,
        "payload": {"$ref": f"{_SCHEMAS}{model.__name__}"},
    }


def _operation(action: str, summary: str, messages: Iterable[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/live/messages/{name}"} for name in messages],
    }
