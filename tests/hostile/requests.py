"""Requests as no good client makes them, each with the answers that are right; for S21."""

from dataclasses import dataclass

HOST = b"Host: localhost\r\n"
SECOND = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"  # smuggled in behind another request
SIGN_UP = b"POST /api/users HTTP/1.1\r\n" + HOST
CHUNKED = SIGN_UP + b"Transfer-Encoding: chunked\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
WEBSOCKET = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


@dataclass(frozen=True)
class Raw:
    """What is said, in parts with a pause between them, and the statuses of which one is right."""

    said: tuple[bytes, ...]
    right: frozenset[int]
    pause_seconds: float = 0.0


def raw(*said: bytes, right: set[int], pause_seconds: float = 0.0) -> Raw:
    return Raw(said, frozenset(right), pause_seconds)


# `0` is no answer at all, only the end of the connection.
SMUGGLING = {
    "length and chunks": raw(
        SIGN_UP + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
        right={400},
    ),
    "chunks and length": raw(
        CHUNKED + b"Content-Length: 3\r\n\r\n5\r\nabcde\r\n0\r\n\r\n" + SECOND, right={400}
    ),
    "chunks in a folded line": raw(
        SIGN_UP + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n" + SECOND,
        right={400},
    ),
    "unknown encoding": raw(
        SIGN_UP + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + SECOND, right={501}
    ),
    "two encodings": raw(
        SIGN_UP + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SECOND, right={501}
    ),
    "encoding twice": raw(
        CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SECOND, right={501}
    ),
    "space before the colon": raw(
        SIGN_UP + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND, right={400}
    ),
    "two lengths": raw(
        SIGN_UP + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SECOND, right={400}
    ),
    "one length twice": raw(
        SIGN_UP + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", right={415}
    ),
    "list of lengths": raw(SIGN_UP + b"Content-Length: 2, 2\r\n\r\n{}", right={415}),
    "negative length": raw(SIGN_UP + b"Content-Length: -1\r\n\r\n" + SECOND, right={400}),
    "signed length": raw(SIGN_UP + b"Content-Length: +2\r\n\r\n{}" + SECOND, right={400}),
    "hexadecimal length": raw(SIGN_UP + b"Content-Length: 0x2\r\n\r\n{}" + SECOND, right={400}),
    "huge length": raw(SIGN_UP + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}", right={400}),
    "length of 5,000 digits": raw(
        SIGN_UP + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", right={400}
    ),
    "GET with a request as its body": raw(
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 44\r\n\r\n" + SECOND, right={200}
    ),
    "chunk extension": raw(CHUNKED + b"\r\n2;a=b\r\n{}\r\n0\r\n\r\n", right={415}),
    "chunk extension with a bare LF": raw(
        CHUNKED + b"\r\n2;\n{}\r\n0\r\n\r\n" + SECOND, right={400}
    ),
    "negative chunk": raw(CHUNKED + b"\r\n-1\r\n{}\r\n0\r\n\r\n" + SECOND, right={400}),
    "chunk ends with a bare LF": raw(CHUNKED + b"\r\n2\n{}\n0\n\n" + SECOND, right={400}),
    "chunk longer than it says": raw(CHUNKED + b"\r\n2\r\n{}XX0\r\n\r\n" + SECOND, right={400}),
    "length among the trailers": raw(
        CHUNKED + b"\r\n2\r\n{}\r\n0\r\nContent-Length: 50\r\n\r\n", right={415}
    ),
    "request behind a WebSocket's handshake": raw(
        GET + WEBSOCKET + KEY + b"\r\n" + SECOND, right={400}
    ),
    "handshake with a body": raw(
        b"GET /live HTTP/1.1\r\n"
        + HOST
        + WEBSOCKET
        + KEY
        + b"Sec-WebSocket-Protocol: microblog.v1\r\nContent-Length: 44\r\n\r\n"
        + SECOND,
        right={400},
    ),
    "handshake without a key": raw(
        b"GET /live HTTP/1.1\r\n" + HOST + WEBSOCKET + b"\r\n" + SECOND, right={400}
    ),
    "handshake in HTTP/1.0": raw(
        b"GET /live HTTP/1.0\r\n" + HOST + WEBSOCKET + KEY + b"\r\n", right={400}
    ),
    "CONNECT": raw(b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n" + SECOND, right={400}),
    "HTTP/2 preface without TLS": raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", right={400}),
    "change to HTTP/2 without TLS": raw(GET + H2C + b"\r\n", right={200}),
    "TLS hello without TLS": raw(
        b"\x16\x03\x01\x00\xf1\x01\x00\x00\xed\x03\x03" + b"a" * 200, right={400}
    ),
}
FORMS = {
    "folded header": raw(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: b\r\n c\r\n\r\n", right={200}),
    "folded first header": raw(b"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n", right={400}),
    "bare LF": raw(b"GET /healthz HTTP/1.1\nHost: localhost\n\n", right={200, 400}),
    "bare CR": raw(GET + b"X: a\rHost: b\r\n\r\n", right={400}),
    "HTTP/0.9": raw(b"GET /healthz\r\n\r\n", right={400}),
    "HTTP/1.0": raw(b"GET /healthz HTTP/1.0\r\n\r\n", right={200}),
    "TRACE": raw(b"TRACE / HTTP/1.1\r\n" + HOST + b"X-Secret: 1\r\n\r\n", right={405}),
    "TRACK": raw(b"TRACK / HTTP/1.1\r\n" + HOST + b"\r\n", right={405}),
    "absolute target": raw(
        b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", right={200}
    ),
    "absolute target that changes": raw(
        b"POST http://evil.example/posts HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
        right={401, 403},
    ),
    "broken absolute target": raw(b"GET http://[evil/x HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "target of another scheme": raw(
        b"GET file:///etc/x HTTP/1.1\r\n" + HOST + b"\r\n", right={404}
    ),
    "target without a slash": raw(b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "target of a query alone": raw(b"GET ?x HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "asterisk": raw(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "two slashes": raw(b"GET //evil.example HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "NUL in the path": raw(b"GET /a\0b HTTP/1.1\r\n" + HOST + b"\r\n", right={400}),
    "escaped NUL in the path": raw(b"GET /user/%00 HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "broken UTF-8 in the path": raw(b"GET /user/%ff%fe HTTP/1.1\r\n" + HOST + b"\r\n", right={404}),
    "bare Hangul in the path": raw(b"GET /\xed\x95\x9c HTTP/1.1\r\n" + HOST + b"\r\n", right={400}),
    "line end in the path": raw(
        b"GET /user/a%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\n" + HOST + b"\r\n", right={404}
    ),
    "no host": raw(b"GET /healthz HTTP/1.1\r\n\r\n", right={400}),
    "two hosts": raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", right={400}),
    "odd host": raw(b'GET / HTTP/1.1\r\nHost: a b<>"\r\n\r\n', right={200, 400}),
    "header of 70,000 bytes": raw(GET + b"X: " + b"a" * 70_000 + b"\r\n\r\n", right={431}),
    "20,000 headers": raw(GET + b"X: a\r\n" * 20_000 + b"\r\n", right={431}),
    "address of 70,000 bytes": raw(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n", right={431}),
    "address of 12,000 bytes": raw(
        b"GET /?x=" + b"a" * 12_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", right={200}
    ),
    "NUL in a header": raw(GET + b"X: a\0b\r\n\r\n", right={400}),
    "NUL in a header's name": raw(GET + b"X\0: a\r\n\r\n", right={400}),
    "header without a name": raw(GET + b": a\r\n\r\n", right={400}),
    "space in a header's name": raw(GET + b"X Y: a\r\n\r\n", right={400}),
    "headers in no encoding": raw(
        b"GET / HTTP/1.1\r\n" + HOST + b"User-Agent: \xff\r\nCookie: session=\xff\r\n"
        b"Accept-Language: \xff\r\nAuthorization: Basic \xff\r\n\r\n",
        right={200},
    ),
    "headers that override": raw(
        b"GET / HTTP/1.1\r\n"
        + HOST
        + b"X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /x\r\n\r\n",
        right={200},
    ),
    "method in no encoding": raw(b"G\xff /healthz HTTP/1.1\r\n" + HOST + b"\r\n", right={400}),
    "method of 3,000 letters": raw(b"A" * 3000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", right={405}),
    "no method": raw(b" /healthz HTTP/1.1\r\n" + HOST + b"\r\n", right={400}),
    "unknown expectation": raw(
        SIGN_UP + b"Expect: dance\r\nContent-Length: 2\r\n\r\n{}", right={415, 417}
    ),
    "every byte there is": raw(bytes(range(256)) * 4, right={400}),
    "20,000 empty lines": raw(b"\n" * 20_000, right={400}),
}
# Those that never get to an end; a part a second.
SLOW = {
    "silence": raw(b"", right={0}),
    "headers that never end": raw(GET, *[b"X: a\r\n"] * 30, right={0}, pause_seconds=0.5),
    "header byte by byte": raw(*[b"G", *[b"a"] * 30], right={0}, pause_seconds=0.5),
    "body byte by byte": raw(
        SIGN_UP + b"Content-Length: 99\r\n\r\n", *[b"x"] * 30, right={408}, pause_seconds=0.5
    ),
    "body in chunks of a byte": raw(
        CHUNKED + b"\r\n", *[b"1\r\nx\r\n"] * 30, right={408}, pause_seconds=0.5
    ),
    "body that never comes": raw(SIGN_UP + b"Content-Length: 99\r\n\r\n", right={408}),
    "body that waits for 100 Continue and more": raw(
        SIGN_UP + b"Expect: 100-continue\r\nContent-Length: 99\r\n\r\n", right={408}
    ),
    "chunk that never comes": raw(CHUNKED + b"\r\nffffffffff\r\n{}", right={408}),
    "chunk beyond all numbers": raw(CHUNKED + b"\r\nfffffffffffffffff0\r\n{}", right={408}),
    "too large a body that never comes": raw(
        SIGN_UP + b"Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{}",
        right={413},
    ),
}
