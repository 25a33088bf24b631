"""Logs: structured, one line an event; and our own access log, which the metrics count along.

The server's access log writes paths unescaped, so a request could forge a line: it stays off.
No token, cookie, password or e-mail address is ever logged; a query may hold one, so it is not,
and neither is the secret part of a mailed link's path. Each line that is written on behalf of a
request has its `request_id`, which is the header `X-Request-ID` of the answer.
"""

import logging
import sys
import time
from typing import Any, Protocol

import structlog
from quart import Response, g, request

from microblog.core.errors import SettingError
from microblog.edge.headers import request_id
from microblog.edge.log_file import RotatingFile
from microblog.edge.request import shown_path
from microblog.log_settings import LogSettings
from microblog.runtime import runtime

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
OTHER = "other"  # in the metrics: what anybody could make up would be a series of its own

_files: list[RotatingFile] = []  # at most the one that lines go to, or went to last

log = structlog.get_logger("microblog.access")


class Place(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> int:
        """Take whole lines."""

    def flush(self) -> None:
        """Let them out."""


def configure(chosen: LogSettings) -> None:
    """Write events as the settings say; raises SettingError where the file cannot be opened."""
    place = _place(chosen)
    at_terminal = bool(getattr(place, "isatty", bool)())
    is_console = chosen.log_format == "console" or (chosen.log_format == "auto" and at_terminal)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *(_for_people(colours=at_terminal) if is_console else _for_programs()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[chosen.log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(place),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )


def _place(chosen: LogSettings) -> Place:
    if chosen.log_to_stdout:
        return sys.stdout
    if chosen.log_file is None:
        return sys.stderr
    try:
        _files.append(RotatingFile(chosen.log_file, chosen.log_file_bytes, chosen.log_files_kept))
    except OSError as error:
        name = chosen.spelling("log_file")
        raise SettingError(
            f"{name} '{chosen.log_file}' cannot be written: {error.strerror}. "
            f"For example: {name}=logs/microblog.log"
        ) from None
    for before in _files[:-1]:
        before.close()
    del _files[:-1]
    return _files[-1]


def _for_people(*, colours: bool) -> list[structlog.typing.Processor]:
    # Never the values of variables, which other libraries would show where they are installed.
    plain = structlog.dev.plain_traceback
    return [_printable, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]


def _for_programs() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _printable(_logger: Any, _name: str, line: Any) -> Any:
    """Escape what would steer a terminal; a path may hold anything. (JSON escapes it anyway.)"""
    for key, value in line.items():
        if isinstance(value, str) and not value.isprintable():
            line[key] = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    return line


class FromLibraries(logging.Handler):
    """Gives what libraries tell by Python's own logging a line like any other."""

    def emit(self, record: logging.LogRecord) -> None:
        line = structlog.get_logger(record.name)
        try:
            line.log(record.levelno, record.getMessage(), exc_info=record.exc_info, by=record.name)
        except Exception:  # noqa: BLE001 - as each handler of the library does
            self.handleError(record)


def take_in_libraries() -> None:
    """Let what libraries warn of, and hypercorn says, come into our log: this process is ours."""
    logging.getLogger().handlers = [FromLibraries()]
    logging.getLogger("hypercorn.error").setLevel(logging.INFO)


async def start_clock() -> None:
    """Note when a request began, and by which number the lines of the log name it."""
    g.began = time.perf_counter()
    structlog.contextvars.bind_contextvars(request_id=request_id())


async def write_access(response: Response) -> Response:
    """Write one line about an answered request, and count it."""
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    route = request.url_rule.rule if request.url_rule is not None else OTHER
    method = request.method if request.method in METHODS else OTHER
    runtime().measures.answered(route, method, response.status_code, seconds)
    log.info(
        "request",
        method=request.method,
        path=shown_path(),
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        request_id=request_id(),
    )
    return response
