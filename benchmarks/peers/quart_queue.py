"""A peer: a broadcast as Quart's chat tutorial does it: a queue and a loop for each client.

https://quart.palletsprojects.com/en/latest/tutorials/chat_tutorial/
"""

import asyncio
from collections.abc import AsyncIterator

from quart import Quart, websocket


class Broker:
    """Hands each message to the queue of everyone who is subscribed."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()

    async def publish(self, message: str) -> None:
        for queue in self._queues:
            await queue.put(message)

    async def subscribe(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)


app = Quart(__name__)
broker = Broker()


@app.websocket("/publish")
async def publish() -> None:
    """Publish what comes."""
    while True:
        await broker.publish(str(await websocket.receive()))


@app.websocket("/live")
async def live() -> None:
    """Send what is published, and publish what comes, as every client of the chat may."""
    task = asyncio.ensure_future(publish())
    try:
        async for message in broker.subscribe():
            await websocket.send(message)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
