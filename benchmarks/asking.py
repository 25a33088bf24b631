"""The asker: a process of its own that sends HTTP requests, as browsers and programs would.

It keeps connections open where the server does, opens a new one where it does not (a sync worker
of gunicorn hangs up after each answer), and holds every answer against what it must be.
"""

import asyncio
import gc
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from benchmarks.loops import run
from benchmarks.tables import percentile

NUMBER = b"0000000000000000"
"""Stands in a request for a number that is another one each time, of the same length."""

ANSWER_SECONDS = 120.0
START_SECONDS = 60.0
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """What is sent: a connection for each of `requests`, for a time or until `most` were sent.

    Each connection asks as soon as it has its answer; with `every_seconds` all of them together
    ask at that rhythm, and an answer's time runs from the moment when it was due to be asked for.
    A probe `skips` the beats at which it still waits, so that it is no crowd where there is a lag.
    An answer must have `status`, and hold `mark` so many times.
    """

    port: int
    requests: Sequence[bytes]
    status: int
    seconds: float
    mark: bytes = b""
    marks: int = 0
    most: int = 10**9
    every_seconds: float | None = None
    skips: bool = False


@dataclass(slots=True)
class Answers:
    """What came, in milliseconds."""

    count: int = 0
    seconds: float = 0.0
    size_bytes: int = 0
    wrong: list[str] = field(default_factory=list)
    ordered_ms: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.count / max(self.seconds, 1e-9)

    def at(self, share: float) -> float:
        """Return the time within which this share (0 to 1) of the answers came."""
        return percentile(self.ordered_ms, share)


def get(port: int, path: str, headers: str = "") -> bytes:
    """Return a request; `headers` are further lines, each with its end."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n".encode()


def post(port: int, path: str, body: bytes, kind: str, headers: str = "") -> bytes:
    """Return a request with a body of a media type."""
    lines = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}"
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `head` is its header block."""

    status: int
    head: bytes
    body: bytes

    @property
    def keeps(self) -> bool:
        return b"connection: close" not in self.head.lower()


class _Line:
    """One connection, opened anew where the server hung up."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        length = int(lower[at + 17 : lower.index(b"\r\n", at + 17)]) if at >= 0 else 0
        body = await reader.readexactly(length) if length else b""
        answer = Answer(int(head[9:12]), head, body)
        if not answer.keeps:
            self.close()
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class _Round:
    """One order being carried out."""

    def __init__(self, order: Ask) -> None:
        self._order = order
        self._answers = Answers()
        self._sent = 0
        self._number = time.time_ns() // 1000  # greater than in the round before

    async def run(self) -> Answers:
        order, lines = self._order, [_Line(self._order.port) for _ in self._order.requests]
        begun = time.monotonic()
        async with asyncio.timeout(order.seconds + ANSWER_SECONDS), asyncio.TaskGroup() as tasks:
            for index, (line, request) in enumerate(zip(lines, order.requests, strict=True)):
                tasks.create_task(self._follow(line, request, begun, index))
        self._answers.seconds = time.monotonic() - begun
        for line in lines:
            line.close()
        self._answers.ordered_ms.sort()
        return self._answers

    async def _follow(self, line: _Line, request: bytes, begun: float, index: int) -> None:
        order, turn = self._order, 0
        while self._sent < order.most and time.monotonic() - begun < order.seconds:
            due = time.monotonic()
            if order.every_seconds is not None:
                period = order.every_seconds * len(order.requests)
                if order.skips:
                    turn = max(turn, math.ceil((due - begun) / period))
                due = begun + turn * period + index * order.every_seconds
                turn += 1
                if due - begun >= order.seconds:
                    return
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._sent += 1
            self._number += 1
            sent = request.replace(NUMBER, f"{self._number:016}".encode())
            begins = time.monotonic() if order.skips else due
            answer = await line.exchange(sent)
            self._judge(answer, 1000 * (time.monotonic() - begins))

    def _judge(self, answer: Answer, late_ms: float) -> None:
        order, answers = self._order, self._answers
        if answer.status != order.status or answer.body.count(order.mark) < order.marks:
            answers.wrong.append(f"{answer.status}: {(answer.body or answer.head)[:300]!r}")
            return
        answers.count += 1
        answers.size_bytes = len(answer.body)
        answers.ordered_ms.append(late_ms)


async def exchange(port: int, request: bytes) -> Answer:
    """Send one request from this process."""
    line = _Line(port)
    try:
        return await asyncio.wait_for(line.exchange(request), ANSWER_SECONDS)
    finally:
        line.close()


async def _obey(pipe: Connection) -> None:
    pipe.send("here")
    while (orders := await asyncio.to_thread(pipe.recv)) is not None:
        try:
            pipe.send(await asyncio.gather(*(_Round(order).run() for order in orders)))
        except BaseExceptionGroup as failed:
            pipe.send(RuntimeError(f"the server did not answer: {failed.exceptions}"))
        gc.collect()


def _main(pipe: Connection) -> None:
    gc.disable()
    run(_obey(pipe))


class Asker:
    """The near end of the pipe; the process ends with the block, or with its parent."""

    def __enter__(self) -> Self:
        context = get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_main, args=(far,), daemon=True)
        self._process.start()
        far.close()
        self._answer(START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def ask(self, *orders: Ask) -> list[Answers]:
        """Carry out some orders, all at once; raises RuntimeError for a wrong answer."""
        self.begin(*orders)
        return self.end()

    def begin(self, *orders: Ask) -> None:
        """Let it begin; `end` waits."""
        self._seconds = max(order.seconds for order in orders)
        self._pipe.send(orders)

    def end(self) -> list[Answers]:
        """Wait for what was begun."""
        given: list[Answers] = self._answer(self._seconds + ANSWER_SECONDS + 10)
        for answers in given:
            if answers.wrong:
                shown = "\n".join(answers.wrong[:SHOWN])
                raise RuntimeError(f"{len(answers.wrong)} wrong answers, such as\n{shown}")
        return given

    def _answer(self, seconds: float) -> Any:
        if not self._pipe.poll(seconds):
            raise TimeoutError("the asker does not answer")
        given = self._pipe.recv()
        if isinstance(given, Exception):
            raise given
        return given
