"""The application factory: the wiring, read from top to bottom.

`create_app` reads no file and no variable, and opens nothing. Settings that are not given are
read when serving begins, where a plain server imports `microblog:app`.
"""

import asyncio
import gc
from functools import cache
from typing import Any

import structlog
from quart import Quart

from microblog import api, live, secret_file, web
from microblog.edge import (
    auth,
    below_asgi,
    compression,
    csrf,
    drain,
    errors,
    headers,
    language,
    logs,
    room,
    strangers,
    templates,
    uploads,
)
from microblog.edge.bodies import LONGEST_BODY_BYTES
from microblog.edge.connection import FinishingConnection
from microblog.edge.errors import Problem
from microblog.edge.request import MicroblogRequest, asking
from microblog.jobs.worker import Worker
from microblog.live.connection import BoundedConnection
from microblog.resources import TEMPLATES
from microblog.runtime import EXTENSION, Runtime, runtime
from microblog.settings import Settings

WORKER = "microblog.worker"

log = structlog.get_logger(__name__)


def create_app(settings: Settings | None = None) -> Quart:
    """Make the application; with no settings given they are read when serving begins."""
    app = Quart("microblog", template_folder=str(TEMPLATES), static_folder=None)
    app.request_class = MicroblogRequest
    app.asgi_http_class = FinishingConnection
    app.asgi_websocket_class = BoundedConnection
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY_BYTES
    app.config["TEMPLATES_AUTO_RELOAD"] = False

    auth.install(app)
    errors.install(app)
    web.install(app)
    api.install(app)
    live.install(app)

    app.before_request(logs.start_clock)
    app.before_request(_greet)
    app.before_request(uploads.guard)
    app.before_request(room.guard)
    app.before_request(csrf.guard)
    app.before_websocket(logs.start_clock)
    app.before_websocket(_greet)
    # After a request these run in the opposite order.
    app.after_request(logs.write_access)
    app.after_request(headers.add)
    app.after_request(compression.compress)
    app.after_websocket(headers.add_to_refusal)
    app.teardown_request(room.leave)
    app.teardown_request(uploads.leave)

    _open_while_serving(app, settings)
    return app


async def _greet() -> Any:
    """Choose the language of a stranger, and say so where the server is not ready to serve."""
    language.choose(None)
    not_ready = runtime().not_ready
    if not_ready is None or asking().path.startswith(room.ALWAYS_SERVED):
        return None
    return await errors.answer(Problem(503, not_ready, retry_after_seconds=5))


def _open_while_serving(app: Quart, settings: Settings | None) -> None:
    @app.before_serving
    async def begin() -> None:
        chosen = settings if settings is not None else Settings.from_env()
        logs.configure(chosen)
        secrets = secret_file.secrets(chosen)
        app.secret_key = secrets[0]
        app.config["SECRET_KEY_FALLBACKS"] = list(secrets[1:])
        auth.configure(app, chosen)
        opened = app.extensions[EXTENSION] = Runtime.assemble(chosen, secrets)
        if opened.bell.name == "memory" and opened.database.vendor != "sqlite":
            log.warning("bell.unheard", told="other processes see what happens up to 1 s later")
        if chosen.mailer_in_use != "none" and not chosen.mails_people:
            log.warning("mail.no_links", told="none is sent to people without MICROBLOG_PUBLIC_URL")
        _expect_many(opened)
        templates.prepare(chosen.languages)
        below_asgi.mend()
        drain.install(app, opened.stopping)
        live.begin(opened)
        await opened.open()
        if chosen.jobs_concurrency:
            worker = app.extensions[WORKER] = Worker(opened, chosen.jobs_concurrency)
            worker.begin()
        _spare_the_collector()

    @app.after_serving
    async def end() -> None:
        if WORKER in app.extensions:
            await app.extensions[WORKER].end()
        if EXTENSION in app.extensions:
            await app.extensions[EXTENSION].close()
        if (ending := drain.of(app)) is not None:
            ending.close()


def _expect_many(opened: Runtime) -> None:
    files, loop = room.raise_limit(), asyncio.get_running_loop()
    opened.most_sockets = room.sockets(opened.settings, files)
    room.expect_exhaustion(loop)
    strangers.watch(loop, files)


@cache
def _spare_the_collector() -> None:
    """Take what was imported out of the garbage collector's sight, once a process.

    A full collection stops the loop for 62 ms where it looks at it, and else for next to nothing.
    """
    gc.freeze()
