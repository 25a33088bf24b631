"""How much a process takes on at once: requests, and live connections where files are few.

`factory` sees to both: `make` at the start, `guard` before each request and `leave` after it.
"""

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
ALWAYS_SERVED = ("/healthz", "/readyz", "/static/")
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


def make(settings: Settings) -> int:
    """Let the process open as many files as it may; return how many live connections that allows.

    At most `sockets_per_process`; where files are fewer the log says so.
    """
    wanted = settings.sockets_per_process
    files = _raise_limit()
    if files is None:
        return wanted
    database = FILES_OF_A_CONNECTION * (settings.pool_size + settings.pool_overflow + 1)
    requests = min(settings.requests_per_process, files // 4)
    most = max(1, files - database - requests - FILES_OF_THE_PROCESS)
    if most >= wanted:
        return wanted
    log.warning("sockets.limited", sockets=most, wanted=wanted, files=files)
    return most


def _raise_limit() -> int | None:
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
