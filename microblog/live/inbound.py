"""What clients send on `/live`: heartbeats and topics, each frame checked, their number limited."""

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from microblog.core.cursors import GREATEST
from microblog.core.markup import tag_name

LARGEST_FRAME_BYTES = 4096
FRAMES_PER_MINUTE = 120
MOST_TOPICS = 50
_NUMBERED = re.compile(r"(user|post):([0-9]{1,19})", re.ASCII)

BAD_FRAME = 4002
TOO_MANY = 4008
TOO_LARGE = 1009


class Refused(Exception):
    """The connection must be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked frame: its type, and the topic where it has one."""

    type: str
    topic: str | None = None


class FrameRate:
    """Lets so many frames through in a minute, evenly, with all of them as a burst (GCRA)."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due = 0.0

    def count(self) -> None:
        """Count a frame; raises Refused where there were too many."""
        now = time.monotonic()
        self._due = max(self._due, now) + 60 / FRAMES_PER_MINUTE
        if self._due - now > 60:
            raise Refused(TOO_MANY, "too many frames")


def read(frame: Any) -> Asked:
    """Check a frame; raises Refused where it is not one of ours."""
    if not isinstance(frame, str):
        raise Refused(BAD_FRAME, "frames are JSON text")
    if len(frame) > LARGEST_FRAME_BYTES or len(frame.encode()) > LARGEST_FRAME_BYTES:
        raise Refused(TOO_LARGE, "a frame has at most 4096 bytes")
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        raise Refused(BAD_FRAME, "not JSON") from None
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise Refused(BAD_FRAME, "no such frame")
    if kind == "heartbeat":
        return Asked("heartbeat")
    if kind in {"subscribe", "unsubscribe"}:
        asked = topic(value.get("topic"))
        if asked is None:
            raise Refused(BAD_FRAME, "no such topic")
        return Asked(kind, asked)
    raise Refused(BAD_FRAME, "no such frame")


def topic(name: Any) -> str | None:
    """Return a topic in its one spelling, or None where there is no such topic."""
    if not isinstance(name, str):
        return None
    if name in {"home", "explore", "questions"}:
        return name
    if found := _NUMBERED.fullmatch(name):
        number = int(found[2])
        return f"{found[1]}:{number}" if number <= GREATEST else None
    if name.startswith("tag:") and (folded := tag_name(name.removeprefix("tag:"))):
        return f"tag:{folded}"
    return None


def topics(listed: str) -> list[str]:
    """Return the topics of a comma-separated list; raises Refused for a wrong or long one."""
    names = [name for name in listed.split(",") if name]
    found = [topic(name) for name in names]
    known = [one for one in found if one is not None]
    if len(known) != len(names) or len(names) > MOST_TOPICS:
        raise Refused(BAD_FRAME, "no such topic, or too many")
    return known
