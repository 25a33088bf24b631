"""Logs: structured, one line an event, to standard error; and our own access log.

The server's access log writes paths unescaped, so a request could forge a line: it stays off.
No token, cookie, password or e-mail address is ever logged; a query may hold one, so it is not,
and neither is the secret part of a mailed link's path.
"""

import logging
import sys
import time

import structlog
from quart import Response, g, request

from microblog.edge.headers import request_id
from microblog.edge.request import shown_path

log = structlog.get_logger("microblog.access")


def configure(level: str) -> None:
    """Write events from `level` on, in colour to a terminal, else as JSON."""
    terminal = sys.stderr.isatty()
    renderer: list[structlog.typing.Processor] = (
        # Never the values of variables, which other libraries would show where they are installed.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


async def start_clock() -> None:
    """Note when a request began."""
    g.began = time.perf_counter()


async def write_access(response: Response) -> Response:
    """Write one line about an answered request."""
    began = g.get("began", time.perf_counter())
    log.info(
        "request",
        method=request.method,
        path=shown_path(),
        status=response.status_code,
        milliseconds=round((time.perf_counter() - began) * 1000, 1),
        request_id=request_id(),
    )
    return response
