"""What can be asked for, and what somebody is told: every route and method, and an answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from quart import Quart
from werkzeug.routing import Rule

SOCKET = "LIVE"
LEFT_TO_ITSELF = {"HEAD", "OPTIONS"}  # answered from GET, and by the framework
LOG_IN = "/auth/login"
_CONVERTER = re.compile(r"<[^<>]*:(\w+)>")
_TOKEN = re.compile(r'value="[^"]*##[^"]*"')


@dataclass(frozen=True)
class Way:
    """A route and one method of it; the socket's is LIVE."""

    rule: Rule
    method: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def path(self) -> str:
        """The route without the converters of its parts: /post/<post_id>."""
        return _CONVERTER.sub(r"<\1>", self.rule.rule)

    @property
    def is_api(self) -> bool:
        return self.rule.endpoint.startswith("api.")

    @property
    def kind(self) -> str:
        """The kind of body that it reads."""
        return "json" if self.is_api else "form"

    @property
    def is_safe(self) -> bool:
        return self.method in {"GET", SOCKET}


def ways(app: Quart) -> Iterator[Way]:
    """Go along all routes and methods."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        methods = {SOCKET} if rule.websocket else (rule.methods or set()) - LEFT_TO_ITSELF
        for method in sorted(methods):
            yield Way(rule, method)


@dataclass(frozen=True)
class Answer:
    """What somebody was told."""

    status: int
    location: str = ""
    body: str = ""
    wrote: bool = False

    @property
    def told(self) -> str:
        """The status, or "login" for who is sent to the log-in and had nothing done."""
        is_sent = self.status == 303 and self.location.startswith(LOG_IN)
        return "login" if is_sent and not self.wrote else str(self.status)

    def without(self, address: str) -> "Answer":
        """Return what it says beside its own address and the token of its forms."""
        plain = _TOKEN.sub("", self.body.replace(address, "HERE"))
        return replace(self, body=plain, location=self.location.replace(address, "HERE"))
