"""Compressing pages and JSON on the way out. Static files are compressed already."""

import gzip
import secrets

from quart import Response, request

SMALLEST_BYTES = 1024
LEVEL = 5
_KINDS = ("text/html", "application/json", "application/problem+json")


async def compress(response: Response) -> Response:
    """Compress an answer that is worth it and that the client accepts so."""
    if (
        response.status_code < 200
        or response.mimetype not in _KINDS
        or "Content-Encoding" in response.headers
        or request.accept_encodings.quality("gzip") <= 0
    ):
        return response
    content = await response.get_data(as_text=False)
    if len(content) < SMALLEST_BYTES:
        return response
    # A comment of random length hides the length of what is compressed beside a secret (BREACH).
    padding = secrets.token_bytes(secrets.randbelow(100)).replace(b"\0", b"x")
    response.set_data(_with_comment(gzip.compress(content, LEVEL, mtime=0), padding))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def _with_comment(compressed: bytes, comment: bytes) -> bytes:
    """Put a comment into a gzip header (RFC 1952, 2.3: flag 4, zero-terminated)."""
    header = bytearray(compressed[:10])
    header[3] |= 0x10
    return bytes(header) + comment + b"\0" + compressed[10:]
