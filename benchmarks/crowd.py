"""The crowd: a process of its own with many WebSocket clients, as cheap as asyncio lets them be.

It knows frames and counts items by their id; it does not know who serves them. `fanout` sends it
orders through a pipe and gets answers: how many are connected, what came, and how late.
"""

import asyncio
import gc
import json
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self, cast

from benchmarks import wire
from benchmarks.loops import run

AT_ONCE = 40
CONNECT_SECONDS = 60.0
SETTLE_SECONDS = 0.3
HEARTBEAT = wire.frame(wire.TEXT, b'{"type":"heartbeat"}', masked=True)


@dataclass(frozen=True, slots=True)
class Open:
    """Connect one client for each of `headers` (lines that are added to its handshake)."""

    port: int
    path: str
    headers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Await:
    """Wait until everyone has every item of `started` (its id: when it was published)."""

    started: dict[int, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Leave:
    """Hang up, all together; the next to be opened are a new crowd."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came: how many items, how many too few and too many, and how late in milliseconds."""

    deliveries: int
    missed: int
    doubled: int
    closed: int
    p50_ms: float
    p99_ms: float
    sample: bytes


class Client(asyncio.Protocol):
    """One connection: counts what comes and answers heartbeats."""

    def __init__(self, crowd: "Members", handshake: bytes) -> None:
        self._crowd = crowd
        self._handshake = handshake
        self._rest = b""
        self._last = 0
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._crowd.transports.append(self._transport)
        self._transport.write(self._handshake)

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.closed += 1
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"refused: {self._rest[:200]!r}"))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if self._rest:
            data = self._rest + data
        if not self.opened.done():
            head, found, data = data.partition(wire.END_OF_HEADERS)
            if not found or b" 101 " not in head[:20]:
                self._rest = head
                return
            self.opened.set_result(None)
        done = 0
        for opcode, payload, end in wire.split(data):
            done = end
            if opcode == wire.TEXT:
                self._take(payload, now)
            elif opcode == wire.PING:
                self._write(wire.frame(wire.PONG, payload, masked=True))
        self._rest = data[done:]

    def _take(self, payload: bytes, now: float) -> None:
        crowd = self._crowd
        ids = crowd.known.get(payload)
        if ids is None:
            ids = crowd.learn(payload)
            if b'"heartbeat"' in payload[:40]:
                self._write(HEARTBEAT)
        for number in ids:
            if number <= self._last:
                crowd.doubled += 1
                continue
            self._last = number
            crowd.arrived.setdefault(number, array("d")).append(now)

    def _write(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frame)


@dataclass
class Members:
    """All clients together, and what has come to them."""

    transports: list[asyncio.Transport] = field(default_factory=list)
    connected: int = 0
    closed: int = 0
    doubled: int = 0
    sample: bytes = b""
    known: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    arrived: dict[int, "array[float]"] = field(default_factory=dict)

    def learn(self, payload: bytes) -> tuple[int, ...]:
        """Return the ids of a frame's items; remembers frames that everyone gets."""
        frame = json.loads(payload)
        items = frame.get("items", ())
        ids = tuple(int(item["id"]) for item in items if item["kind"] == "post.published")
        if ids:
            self.known[payload] = ids
            self.sample = payload
        return ids

    async def open(self, order: Open) -> int:
        """Connect; return how many are connected now."""
        gate = asyncio.Semaphore(AT_ONCE)
        loop = asyncio.get_running_loop()

        async def connect(extra: str) -> None:
            handshake = wire.request(order.port, order.path, extra)
            async with gate:
                _, client = await loop.create_connection(
                    lambda: Client(self, handshake), "127.0.0.1", order.port
                )
                await client.opened

        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.gather(*(connect(extra) for extra in order.headers))
        self.connected += len(order.headers)
        gc.freeze()
        return self.connected

    async def wait(self, order: Await) -> Arrivals:
        """Wait for what is under way, and a moment longer for what must not come."""
        expected = len(order.started) * self.connected
        until = time.monotonic() + order.seconds
        while self._count(order) < expected and time.monotonic() < until:
            await asyncio.sleep(0.02)
        await asyncio.sleep(SETTLE_SECONDS)
        late = sorted(
            1000 * (at - start)
            for number, start in order.started.items()
            for at in self.arrived.get(number, ())
        )
        count, doubled, self.doubled = len(late), self.doubled, 0
        self.known.clear()
        self.arrived.clear()
        return Arrivals(
            deliveries=count,
            missed=expected - count,
            doubled=doubled,
            closed=self.closed,
            p50_ms=late[count // 2] if late else 0.0,
            p99_ms=late[count * 99 // 100] if late else 0.0,
            sample=self.sample,
        )

    def _count(self, order: Await) -> int:
        return sum(len(self.arrived.get(number, ())) for number in order.started)


async def _obey(pipe: Connection) -> None:
    members = Members()
    pipe.send("here")
    while (order := await asyncio.to_thread(pipe.recv)) is not None:
        if isinstance(order, Open):
            pipe.send(await members.open(order))
        elif isinstance(order, Await):
            pipe.send(await members.wait(order))
        else:
            for transport in members.transports:
                transport.abort()
            members = Members()
            pipe.send(None)


def _main(pipe: Connection) -> None:
    gc.disable()
    run(_obey(pipe))


class Crowd:
    """The near end of the pipe; the process ends with the block, or with its parent."""

    def __enter__(self) -> Self:
        context = get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=_main, args=(far,), daemon=True)
        self._process.start()
        far.close()
        self._answer(CONNECT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def leave(self) -> None:
        """Disconnect everyone."""
        self._ask(Leave(), CONNECT_SECONDS)

    def open(self, order: Open) -> int:
        """Connect more clients; return how many there are."""
        count: int = self._ask(order, CONNECT_SECONDS + 10)
        return count

    def wait(self, order: Await) -> Arrivals:
        """Wait for what was published."""
        arrivals: Arrivals = self._ask(order, order.seconds + 30)
        return arrivals

    def _ask(self, order: Open | Await | Leave, seconds: float) -> Any:
        self._pipe.send(order)
        return self._answer(seconds)

    def _answer(self, seconds: float) -> Any:
        if not self._pipe.poll(seconds):
            raise TimeoutError("the crowd does not answer")
        return self._pipe.recv()
