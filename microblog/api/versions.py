"""Versions of things: the `ETag` of what is read, and `If-Match` of who changes it.

A tag is `W/"<version>.<digest>"`: the digest tells a copy from a newer answer, and the version,
which counts for a change, moves only with what can be changed. So nobody is refused because
somebody else has replied or followed meanwhile (RFC 9110, 8.8.3 and 13.1.1).
"""

import re

from pydantic import BaseModel, Field
from quart import Response

from microblog.core.errors import Changed
from microblog.core.tokens import digest
from microblog.models import User

ANY = "*"
CHANGED = "It was changed since you read it. Read it again, then send your change."
DIGITS = 16
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


class Precondition(BaseModel):
    """Which version is changed."""

    if_match: str | None = Field(
        None,
        description="The `ETag` that came with it, or `*` for whatever it is now.",
    )


def tagged(text: str, version: str) -> Response:
    """Answer with JSON of a version."""
    made = Response(text, mimetype="application/json")
    made.set_etag(f"{version}.{digest(text).hex()[:DIGITS]}", weak=True)
    return made


def of_person(user: User) -> str:
    """Return the version of what people can change of themselves."""
    parts = (user.username, user.display_name, user.about_me, user.email)
    return digest("\0".join(parts)).hex()[:DIGITS]


def must_match(version: str | None, if_match: str | None) -> None:
    """Raise Changed where `If-Match` names other versions; what is not there has the version None.

    Weak tags do: it is the version in them that counts.
    """
    if if_match is None or (if_match.strip() == ANY and version is not None):
        return
    if version not in {tag.partition(".")[0] for tag in _TAG.findall(if_match)}:
        raise Changed
