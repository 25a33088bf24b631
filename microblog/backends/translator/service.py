"""What all translation services have in common: JSON over HTTP, and the ways in which it fails."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx
import structlog

from microblog.core.errors import (
    Invalid,
    Message,
    MicroblogError,
    ServiceFailed,
    Unavailable,
    message,
)

MOST_AT_ONCE: Final = 10
LONGEST_ANSWER_BYTES: Final = 1_000_000
USUAL_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30, 3600

AWAY = message("The translation service cannot be reached just now. Please try again in a moment.")
BUSY = message(
    "The translation service takes no more texts just now. Please try again in a moment."
)
SPENT = message("The translation service takes no more texts for now: its quota is used up.")
NOT_LET_IN = message(
    "The translation service does not let this place in. Whoever runs it should look at the key."
)
NOT_USABLE = message("The translation service gave an answer that cannot be used.")
NO_SUCH_PAIR = message("The translation service does not know this pair of languages.")

log = structlog.get_logger(__name__)


class Service:
    """One service, by its address."""

    def __init__(
        self, name: str, address: str, timeout_seconds: float, headers: Mapping[str, str]
    ) -> None:
        self._name = name
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", **headers},
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=MOST_AT_ONCE),
            follow_redirects=False,
        )

    async def ask(self, path: str, body: Any, meanings: Mapping[int, Message], **how: Any) -> Any:
        """Send JSON and return the decoded answer; `meanings` say what its refusals are."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, headers, content = await self._send(path, body, how)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise self._failed(AWAY, type(error).__name__) from error
        if status == httpx.codes.OK:
            return self._decoded(content)
        meaning = meanings.get(status, AWAY if status >= 500 else NOT_USABLE)
        if status == httpx.codes.BAD_REQUEST and _is_about_languages(content):
            meaning = NO_SUCH_PAIR
        raise self._failed(meaning, str(status), _wait_seconds(headers))

    async def _send(
        self, path: str, body: Any, how: Mapping[str, Any]
    ) -> tuple[int, httpx.Headers, bytes]:
        content = bytearray()
        address = f"{self._address}{path}"
        async with self._client.stream("POST", address, json=body, **how) as answer:
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > LONGEST_ANSWER_BYTES:
                    raise httpx.DecodingError("far too long")
            return answer.status_code, answer.headers, bytes(content)

    def _decoded(self, content: bytes) -> Any:
        try:
            return httpx.Response(200, content=content).json()
        except (ValueError, RecursionError) as error:
            raise self.unusable() from error

    def unusable(self) -> MicroblogError:
        """Return the error for an answer that is not what this service answers."""
        return self._failed(NOT_USABLE, "200")

    def _failed(
        self, meaning: Message, what: str, wait_seconds: int = USUAL_WAIT_SECONDS
    ) -> MicroblogError:
        # Neither the text nor the answer, which may repeat it.
        log.warning("translator.failed", service=self._name, answer=what, told=str(meaning))
        if meaning is NO_SUCH_PAIR:
            return Invalid({"to": [meaning]})
        if meaning in (AWAY, BUSY, SPENT):
            return Unavailable(wait_seconds, meaning)
        return ServiceFailed(meaning)

    async def close(self) -> None:
        await self._client.aclose()


def _is_about_languages(content: bytes) -> bool:
    """Tell whether a 400 complains of the languages: all three services say so in English."""
    text = content[:2000].decode("utf-8", "replace").lower()
    return any(sign in text for sign in ("not supported", "language is not valid"))


def _wait_seconds(headers: httpx.Headers) -> int:
    told = headers.get("Retry-After", "")
    seconds = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0
    return min(seconds, LONGEST_WAIT_SECONDS) or USUAL_WAIT_SECONDS
