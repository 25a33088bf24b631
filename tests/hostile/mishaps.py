"""What can be wrong with a call of the API that is good otherwise, and what it is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from microblog.edge.bodies import LONGEST_BODY_BYTES
from tests.hostile.asking import Way
from tests.hostile.programs import JSON, takes_json

DOCUMENTS = ("/api/openapi.json", "/api/asyncapi.json", "/api/docs")
Request = dict[str, Any]


@dataclass(frozen=True)
class Mishap:
    """What is wrong with a request that is good otherwise, and what it is told."""

    status: int
    spoil: Callable[[Way, Request], Request | None]
    fields: frozenset[str] = frozenset()
    method: str = ""
    query: str = ""


def always(**changes: Any) -> Callable[[Way, Request], Request]:
    def spoil(way: Way, how: Request) -> Request:
        headers = how["headers"] | changes.get("headers", {})
        return how | changes | {"headers": headers}

    return spoil


def body(data: bytes, **headers: str) -> Callable[[Way, Request], Request | None]:
    """Send other bytes, where JSON is taken."""

    def spoil(way: Way, how: Request) -> Request | None:
        if not takes_json(way, how):
            return None
        told = how["headers"] | {"Content-Type": JSON} | headers
        return {"headers": told, "data": data}

    return spoil


def with_field(way: Way, how: Request) -> Request | None:
    return how | {"json": how["json"] | {"no_such_field": 1}} if takes_json(way, how) else None


def field_twice(way: Way, how: Request) -> Request | None:
    known = dict(how.get("json", {}))
    if not known:
        return None
    name, value = known.popitem()
    twice = f"{{{json.dumps(name)}: 0, {json.dumps({name: value} | known)[1:]}"
    return body(twice.encode())(way, how)


def other_kind(way: Way, how: Request) -> Request | None:
    is_document = way.path in DOCUMENTS
    has_content = way.method != "DELETE" and not way.path.endswith(
        ("/read", "/reset", "/suspension")
    )
    has_content &= "/me/following" not in way.path
    wanted = {"Accept": "image/png, application/json;q=0"}
    return always(headers=wanted)(way, how) if has_content and not is_document else None


def unsafe(way: Way, how: Request) -> Request | None:
    return None if way.is_safe else always(headers={"If-Match": '"no such version"'})(way, how)


MISHAPS = {
    "method of nobody": Mishap(405, always(), method="TRACE"),
    "another kind of answer": Mishap(406, other_kind),
    "parameter that is none": Mishap(422, always(), frozenset({"no_such"}), query="no_such=1"),
    "another kind of body": Mishap(415, body(b"{}", **{"Content-Type": "text/plain"})),
    "body that is packed": Mishap(415, body(b"{}", **{"Content-Encoding": "gzip"})),
    "nothing": Mishap(400, body(b"")),
    "half a body": Mishap(400, body(b'{"body":')),
    "bytes of no alphabet": Mishap(400, body(b'{"body": "\xff"}')),
    "number that is none": Mishap(400, body(b'{"body": NaN}')),
    "depth": Mishap(400, body(b"[" * 50_000 + b"]" * 50_000)),
    "size": Mishap(413, body(b'{"body": "' + b"x" * LONGEST_BODY_BYTES + b'"}')),
    "list": Mishap(422, body(b"[]"), frozenset({"body"})),
    "field that is none": Mishap(422, with_field, frozenset({"no_such_field"})),
    "field twice": Mishap(422, field_twice, frozenset()),
    "version that is none": Mishap(412, unsafe),
}
