"""How much a process takes on at once: requests, and live connections where files are few.

`factory` sees to both: `raise_limit` and `sockets` at the start, `guard` before each request and
`leave` after it.
"""

import asyncio
import errno
import time
from typing import Any

import structlog
from quart import g, request

from microblog.core.errors import Unavailable
from microblog.edge.request import whole_body
from microblog.runtime import runtime
from microblog.settings import Settings

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None  # type: ignore[assignment]

RETRY_AFTER_SECONDS = 2
TOLD_EACH_SECONDS = 60.0
NO_MORE_FILES = {errno.EMFILE, errno.ENFILE}
ALWAYS_SERVED = ("/healthz", "/readyz", "/metrics", "/static/")
FILES_OF_A_CONNECTION = 2  # an SQLite file and its write-ahead log
FILES_OF_THE_PROCESS = 32  # what listens, logs, wakes, and is read now and then

log = structlog.get_logger(__name__)


async def guard() -> None:
    """Take a place for a request that has arrived whole; raises Unavailable where all are taken.

    Who sends slowly holds none: otherwise a few such clients would keep everybody else out.
    """
    if request.path.startswith(ALWAYS_SERVED):
        return
    await whole_body()
    now = runtime()
    if now.requests >= now.settings.requests_per_process:
        raise Unavailable(RETRY_AFTER_SECONDS)
    now.requests += 1
    g.has_place = True


async def leave(_error: BaseException | None) -> None:
    """Give the place back, however the request ended."""
    if g.pop("has_place", False):
        runtime().requests -= 1


def sockets(settings: Settings, files: int | None) -> int:
    """Return how many live connections there is room for, with so many files.

    At most `sockets_per_process`; where files are fewer the log says so.
    """
    wanted = settings.sockets_per_process
    if files is None:
        return wanted
    database = FILES_OF_A_CONNECTION * (settings.pool_size + settings.pool_overflow + 1)
    requests = min(settings.requests_per_process, files // 4)
    most = max(1, files - database - requests - FILES_OF_THE_PROCESS)
    if most >= wanted:
        return wanted
    log.warning("sockets.limited", sockets=most, wanted=wanted, files=files)
    return most


def raise_limit() -> int | None:
    """Raise the limit of open files as far as it goes and return it; None where there is none."""
    if resource is None:
        return None
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        files = most
    except (OSError, ValueError):  # macOS allows fewer than it says
        log.debug("files.limit_kept", files=files)
    return None if files == resource.RLIM_INFINITY else files


def expect_exhaustion(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop that can accept nobody, because no file is left, say so once a minute.

    asyncio says it with a traceback for each place in the queue, again each second, and has little
    time left for whoever is inside.
    """
    usual = loop.get_exception_handler()
    told = -TOLD_EACH_SECONDS

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in NO_MORE_FILES:
            if time.monotonic() - told > TOLD_EACH_SECONDS:
                told = time.monotonic()
                log.warning("files.exhausted", told="nobody new is let in until somebody leaves")
        elif usual is not None:
            usual(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
