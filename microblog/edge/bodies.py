"""Bodies of requests, counted to their end. `edge.request` gives each request one."""

import asyncio
import contextlib

from quart.wrappers.request import Body
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from microblog.core import pictures

LONGEST_BODY_BYTES = 256 * 1024
LONGEST_UPLOAD_BYTES = pictures.LARGEST_BYTES + LONGEST_BODY_BYTES  # with the fields beside it
PIECE_BYTES = 64 * 1024
PATIENCE_SECONDS = 8.0  # for LEAST_BYTES of a body, or its end
LEAST_BYTES = 16 * 1024


class CountedBody(Body):
    """A body that is counted to its end. Quart's forgets what was read: a form in parts that comes
    in chunks would have no limit.

    One that `waits` is taken no further than an ordinary one until it is admitted (`edge.uploads`):
    what strangers send to where pictures may be sent fills no memory.
    """

    def __init__(self, expected_length: int | None, max_length: int | None) -> None:
        super().__init__(expected_length, max_length)
        self._size_bytes = 0
        self._ended = asyncio.Event()
        self._admitted = asyncio.Event()
        self.waits = (max_length or 0) > LONGEST_BODY_BYTES and (
            expected_length is None or expected_length > LONGEST_BODY_BYTES
        )
        if not self.waits:
            self._admitted.set()

    def append(self, data: bytes) -> None:
        self._size_bytes += len(data)
        limit = self._max_content_length
        if self._must_raise is None and limit is not None and self._size_bytes > limit:
            self._must_raise = RequestEntityTooLarge()
            super().set_complete()
        super().append(data)

    async def may_come(self) -> None:
        """Wait before more is taken from the client, where that is too much without a leave."""
        if self._size_bytes > LONGEST_BODY_BYTES:
            await self._admitted.wait()

    def admit(self) -> None:
        """Let all of it come."""
        self._admitted.set()

    def refuse(self) -> None:
        """Forget what came, and whatever still comes."""
        self._must_raise = RequestEntityTooLarge()
        self._data.clear()
        super().set_complete()
        self._admitted.set()

    async def __anext__(self) -> bytes:
        if self.waits and self._data:  # piece by piece: others have their turn meanwhile
            await asyncio.sleep(0)
            piece = bytes(self._data[:PIECE_BYTES])
            del self._data[:PIECE_BYTES]
            return piece
        try:
            return await super().__anext__()
        except StopAsyncIteration:
            if self._must_raise is not None:  # it became too large while we waited
                raise self._must_raise from None
            raise

    def set_complete(self) -> None:
        self._ended.set()
        super().set_complete()

    async def arrive(self) -> None:
        """Wait until it is here; raises RequestTimeout where it hardly gets on.

        One that is too large is not waited for: whoever reads it will be told.
        """
        while self._must_raise is None and not self._complete.is_set():
            before = self._size_bytes
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._complete.wait()
            if not self._complete.is_set() and self._size_bytes - before < LEAST_BYTES:
                raise RequestTimeout

    async def drain(self) -> None:
        """Let the rest come and fall: who is still sending does not hear us (RFC 9112, 9.6)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._ended.wait()
