"""`microblog serve`: make or upgrade the database, say where to look, and serve."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
import structlog

from microblog import secret_file
from microblog.cli.listening import (
    MOST_WORKERS,
    address,
    neighbours_address,
    server_config,
    take_addresses,
)
from microblog.cli.migrations import upgrade_to_head
from microblog.cli.plainly import ENV_FILE, PlainCommand
from microblog.cli.process import Plan, Process
from microblog.cli.workers import Supervisor
from microblog.core.errors import SettingError
from microblog.core.tokens import setup_token
from microblog.database import open_database
from microblog.edge import logs
from microblog.queries import events, users
from microblog.settings import Settings

# How a program that begins anew in its own place finds what it listens on already.
HELD = "_SERVE_HOLDS"

PEM = click.Path(dir_okay=False, path_type=Path)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Options:
    """What was said on the command line; it holds for as long as the server runs."""

    host: str | None
    port: int | None
    workers: int | None
    env_file: Path | None
    certfile: Path | None = None
    keyfile: Path | None = None


@click.command(cls=PlainCommand)
@click.option("--host", help="Address to listen on; 0.0.0.0 for other machines too.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any.")
@click.option("--workers", type=click.IntRange(1, MOST_WORKERS), help="Processes that serve.")
@click.option("--certfile", type=PEM, help="The certificate for HTTPS (PEM), with its chain.")
@click.option("--keyfile", type=PEM, help="Its key (PEM).")
def serve(
    host: str | None,
    port: int | None,
    workers: int | None,
    certfile: Path | None,
    keyfile: Path | None,
) -> None:
    """Serve the microblog, with its database made or upgraded first.

    Listens on 127.0.0.1 port 8000, or where `bind` says in the file hypercorn.toml of the working
    folder; the options win over the file. SIGHUP reads all settings anew.
    """
    env_file = click.get_current_context().meta.get(ENV_FILE)
    options = Options(host, port, workers, env_file, certfile, keyfile)
    held: dict[str, int] = json.loads(os.environ.pop(HELD, "{}"))
    plan = read_plan(options, held)
    upgrade_to_head(plan.settings)
    if not held:
        _greet(plan)
    _warn(plan)
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    if held and hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # it was ignored for the change
    if plan.workers > 1:
        Supervisor(plan, lambda now: read_plan(options, now), hangup_ends=at_terminal).run()
        return
    if not hasattr(os, "fork"):
        Process(plan).serve()
        return
    for one in (plan.config.bind, plan.config.insecure_bind):
        one[:] = [f"fd://{os.dup(int(fd.removeprefix('fd://')))}" for fd in one]
    renew = None if at_terminal else _renewal(options, plan)
    Process(plan, renew=renew, kept=list(plan.listening.held.values())).serve()


def read_plan(options: Options, held: Mapping[str, int]) -> Plan:
    """Read every setting and open every address that is not held; raises SettingError."""
    settings = Settings.from_env(env_file=options.env_file)
    secret, *former = secret_file.secrets(settings)
    settings = replace(settings, secret_key=secret, secret_key_fallbacks=tuple(former))
    config = server_config(certfile=options.certfile, keyfile=options.keyfile)
    workers, config.workers = options.workers or config.workers, 1
    if workers > 1 and not hasattr(os, "fork"):
        raise SettingError("Several workers need fork(), which this system has not: use one.")
    if workers > 1 and config.quic_bind:
        raise SettingError("quic_bind works with one worker only: its packets find no other.")
    listening = take_addresses(config, options.host, options.port, held)
    return Plan(settings, config, workers, listening)


def _warn(plan: Plan) -> None:
    logs.configure(plan.settings)
    logs.take_in_libraries()
    if plan.workers > 1 and plan.settings.bell_in_use == "memory":
        log.warning("bell.unheard", told="other processes see what happens up to 1 s later")


def _renewal(options: Options, plan: Plan) -> Callable[[], Callable[[], None]]:
    """Return what checks all settings anew, and then begins this program anew with them."""

    def check() -> Callable[[], None]:
        held = plan.listening.held
        fresh = read_plan(options, held)
        try:
            upgrade_to_head(fresh.settings)
        except SettingError:
            fresh.listening.close_those_not_in(held)
            raise
        return lambda: _begin_anew(fresh.listening.held)

    return check


def _begin_anew(held: dict[str, int]) -> None:
    """Let this program take its own place; who connects meanwhile waits in the queue."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    for descriptor in held.values():
        os.set_inheritable(descriptor, True)
    words = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, words, {**os.environ, HELD: json.dumps(held)})  # noqa: S606


def _greet(plan: Plan) -> None:
    settings, names, secure = plan.settings, plan.listening.names, plan.config.ssl_enabled
    base = settings.public_url or address(names[0], secure=secure)
    click.echo(f"Microblog is at {base}")
    if neighbour := neighbours_address(names, secure=secure):
        click.echo(f"In the same network, for example on a phone: {neighbour}")
    if settings.database_url is None:
        click.echo(f"Everything is kept in {settings.data_dir.resolve()}")
    if (token := asyncio.run(_setup_token(settings))) is not None:
        click.echo(f"Make yourself the first administrator: {base}/setup?token={token}")
    if plan.workers > 1:
        click.echo(f"{plan.workers} processes serve it.")
    click.echo("Stop with Ctrl+C.")


async def _setup_token(settings: Settings) -> str | None:
    """Return the token of the first administrator's link, or None where there is one already."""
    database = open_database(settings)
    try:
        async with database.read() as read:
            if await users.has_admin(read):
                return None
            head = await events.head(read)
        return setup_token(settings.secret_key or "", head.epoch)
    finally:
        await database.close()
