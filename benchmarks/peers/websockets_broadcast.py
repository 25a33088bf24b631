"""A peer: the websockets library's own `broadcast()`. What one client says, all listeners get."""

import asyncio
import contextlib
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

listeners: set[ServerConnection] = set()


async def talk(connection: ServerConnection) -> None:
    """Publish what comes on `/publish`; on any other path only listen."""
    if connection.request is not None and connection.request.path == "/publish":
        with contextlib.suppress(ConnectionClosed):  # the publisher just hangs up
            async for message in connection:
                broadcast(listeners, message)
        return
    listeners.add(connection)
    try:
        await connection.wait_closed()
    finally:
        listeners.discard(connection)


async def main(port: int) -> None:
    """Serve until killed. Without pings and compression, which the others have not either."""
    where = ("127.0.0.1", port)
    async with serve(talk, *where, backlog=1024, ping_interval=None, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
