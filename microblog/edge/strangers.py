"""Connections that have asked for nothing yet, which no handler of ours ever sees.

`factory` lets each loop that serves watch them: they have eight seconds, and never get the last
files of the process.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

from microblog.edge import below_asgi

FIRST_REQUEST_SECONDS = 8.0
SPARE_FILES = 16  # for the database, templates and whatever else is opened now and then


def watch(loop: asyncio.AbstractEventLoop, files: int | None) -> None:
    """Watch the connections of every server that hypercorn opens on a loop from now on.

    hypercorn gives a slow header as long as a pause between two requests, which may be long; and
    asyncio accepts connections until nothing can be opened, also by those who are inside.
    """
    create = loop.create_server

    async def create_server(factory: Any, *how: Any, **more: Any) -> asyncio.AbstractServer:
        return await create(partial(_watched, loop, factory, files), *how, **more)

    loop.create_server = create_server  # type: ignore[method-assign, assignment]


def _watched(
    loop: asyncio.AbstractEventLoop, factory: Callable[[], asyncio.Protocol], files: int | None
) -> asyncio.Protocol:
    protocol = factory()
    if not below_asgi.is_hypercorns(protocol):
        return protocol
    usual = protocol.connection_made

    def connection_made(transport: Any) -> None:
        protocol.__dict__.pop("connection_made", None)  # a loop that serves again is watched twice
        # The system gives out the lowest free number, so a high one says that few are left.
        if files is not None and _number(transport) >= files - SPARE_FILES:
            transport.abort()
            return
        usual(transport)
        loop.call_later(FIRST_REQUEST_SECONDS, _unless_it_asked, ref(protocol), ref(transport))

    protocol.connection_made = connection_made  # type: ignore[method-assign]
    return protocol


def _number(transport: Any) -> int:
    return int(transport.get_extra_info("socket").fileno())


def _unless_it_asked(connected: "ref[asyncio.Protocol]", way: "ref[Any]") -> None:
    protocol, transport = connected(), way()
    if protocol is not None and transport is not None and not below_asgi.has_asked(protocol):
        transport.abort()
