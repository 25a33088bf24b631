"""The application on a real port within the test's own process: real sockets, quick to start."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart

from microblog import create_app
from microblog.runtime import EXTENSION, Runtime
from microblog.settings import Settings


@dataclass
class Serving:
    """A running application and where it is."""

    app: Quart
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def live_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/live"

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions[EXTENSION]
        return found


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Serving]:
    """Serve an application by hypercorn until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 1.0
    config.errorlog = None
    app = create_app(settings)
    stop = asyncio.Event()

    async def stopped() -> None:
        await stop.wait()
        app.extensions[EXTENSION].stopping.set()
        async with asyncio.timeout(5):
            while app.extensions[EXTENSION].hub.listeners:
                await asyncio.sleep(0.01)

    task = asyncio.ensure_future(serve(app, config, shutdown_trigger=stopped))
    try:
        await _answering(port, task)
        yield Serving(app, port)
    finally:
        stop.set()
        await task


async def _answering(port: int, task: "asyncio.Future[None]") -> None:
    async with asyncio.timeout(20):
        while not task.done():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status = await reader.readline()
            writer.close()
            if b" 200" in status:
                return
            await asyncio.sleep(0.02)
    await task
