"""Whether two databases hold the same: rows counted and summed up, in whatever order they come."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

_DIGEST_BYTES = 16
_MODULUS = 1 << (8 * _DIGEST_BYTES)


@dataclass(slots=True)
class Tally:
    """How many rows were seen, and the sum of their digests: the same in every order.

    A sum, because databases put texts in different orders; an exclusive or would miss a row that
    stands there twice.
    """

    rows: int = 0
    sum: int = 0

    def add(self, row: Sequence[object]) -> None:
        """Count one row, given by the values of its columns in their order."""
        written = repr([_plain(value) for value in row]).encode("utf-8", "surrogatepass")
        digest = blake2b(written, digest_size=_DIGEST_BYTES).digest()
        self.sum = (self.sum + int.from_bytes(digest)) % _MODULUS
        self.rows += 1

    @property
    def checksum(self) -> str:
        """The sum, in 32 hexadecimal digits."""
        return f"{self.sum:0{2 * _DIGEST_BYTES}x}"


def _plain(value: object) -> object:
    """Return what is equal where the value is equal, whichever driver read it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return bytes(value) if isinstance(value, bytearray | memoryview) else value
