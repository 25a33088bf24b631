"""What clients send on `/live`: heartbeats, topics and that somebody is typing, each frame checked,
their number limited.
"""

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from microblog.core.cursors import GREATEST
from microblog.realtime import topics

LARGEST_FRAME_BYTES = 4096
FRAMES_PER_MINUTE = 120
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)

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
    """A checked frame: its type, and the topic or the person where it has one."""

    type: str
    topic: str | None = None
    to: int = 0


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
        asked = topics.topic(value.get("topic"))
        if asked is None:
            raise Refused(BAD_FRAME, "no such topic")
        return Asked(kind, asked)
    if kind == "typing":
        return Asked("typing", to=_person(value.get("to")))
    raise Refused(BAD_FRAME, "no such frame")


def _person(written: Any) -> int:
    if not isinstance(written, str) or not _ID.fullmatch(written) or int(written) > GREATEST:
        raise Refused(BAD_FRAME, "no such person")
    return int(written)
