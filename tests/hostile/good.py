"""Good requests of programs, where the example in the API's document does not do: for S3 to S5.

What pages take is in `tests/web/scene.py`. Keys are the route's name in `access.txt`.
"""

import struct
import zlib
from typing import Any


def _chunk(kind: bytes, data: bytes) -> bytes:
    summed = kind + data
    return struct.pack(">I", len(data)) + summed + struct.pack(">I", zlib.crc32(summed))


def picture(side: int = 64) -> bytes:
    """Draw a grey square as a PNG (RFC 2083)."""
    lines = (b"\0" + b"\x80" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


PARTS: dict[str, dict[str, str]] = {
    "DELETE /api/me/following/<who>": {"who": "chul"},
    "PUT /api/users/<who>": {"who": "mina"},
    "DELETE /api/users/<who>/suspension": {"who": "fay"},
    "PUT /api/users/<who>/suspension": {"who": "gil"},
    "GET /api/timelines/tags/<tag>": {"tag": "seoul"},
    "GET /api/drafts/<context>": {"context": "question"},
    "PUT /api/drafts/<context>": {"context": "post"},
    "DELETE /api/drafts/<context>": {"context": "post"},
}
"""Parts of addresses."""

FIELDS: dict[str, dict[str, Any]] = {
    "POST /api/posts/<post_id>/translation": {"to": "de"},
    "POST /api/messages": {"to": "bora"},
    "PUT /api/messages/<who>/read": {"up_to": None},
    "PUT /api/notifications/read": {"ids": ["1"], "post": None},
    "POST /api/questions": {"tags": []},
    "PUT /api/drafts/<context>": {"body": "Not yet", "version": None},
}
"""Fields of JSON bodies."""

HEADERS: dict[str, dict[str, str]] = {
    "PATCH /api/posts/<post_id>": {"If-Match": "*"},
    "PUT /api/me/avatar": {"Content-Type": "image/png"},
}

FILES: dict[str, bytes] = {"PUT /api/me/avatar": picture()}
"""Bodies that are no JSON."""
