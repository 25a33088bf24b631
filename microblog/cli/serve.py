"""`microblog serve`: make or upgrade the database, say where to look, and serve."""

import asyncio
import signal
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from hypercorn.asyncio import serve as serve_with_hypercorn
from hypercorn.config import Config

from microblog.cli.db import upgrade_to_head
from microblog.core.errors import SettingError
from microblog.core.tokens import setup_token
from microblog.database import open_database
from microblog.factory import create_app
from microblog.queries import events, users
from microblog.runtime import EXTENSION, Runtime
from microblog.secret_file import keep
from microblog.settings import Settings

SERVER_FILE = Path("hypercorn.toml")
DRAIN_SECONDS = 3.0
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


@click.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 for other machines too.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the microblog, with its database made or upgraded first."""
    settings = Settings.from_env()
    secret = settings.secret_key or keep(settings.data_dir)
    settings = replace(settings, secret_key=secret)
    config = server_config()
    listener = _listen(host or "127.0.0.1", 8000 if port is None else port)
    upgrade_to_head(settings)
    _greet(listener, settings)
    config.bind = [f"fd://{listener.detach()}"]
    asyncio.run(_serve(settings, config))


def server_config(path: Path = SERVER_FILE) -> Config:
    """Read the server's own settings where there is a file of them; raises SettingError.

    A misspelt key is refused by its name: the server itself would pass over it in silence.
    """
    if not path.is_file():
        config = Config()
    else:
        try:
            config = Config.from_toml(path)
        except (OSError, ValueError) as error:
            raise SettingError(f"{path} cannot be read: {error}") from None
        unknown = sorted(set(vars(config)) - set(vars(Config())) - set(dir(Config)))
        if unknown:
            raise SettingError(f"{path}: there is no setting '{unknown[0]}'.")
    config.accesslog = None
    config.include_server_header = False
    return config


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, UnicodeError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(
            f"Cannot listen on {host} port {port}: {reason}. "
            f"Choose another, for example: microblog serve --port {port + 1 if port else 8001}"
        ) from None
    return listener


def _greet(listener: socket.socket, settings: Settings) -> None:
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in EVERYWHERE else (f"[{host}]" if ":" in host else host)
    base = settings.public_url or f"http://{shown}:{port}"
    click.echo(f"Microblog is at {base}")
    if host in EVERYWHERE and (neighbour := _own_address()):
        click.echo(f"In the same network, for example on a phone: http://{neighbour}:{port}")
    if settings.database_url is None:
        click.echo(f"Everything is kept in {settings.data_dir.resolve()}")
    if (token := asyncio.run(_setup_token(settings))) is not None:
        click.echo(f"Make yourself the first administrator: {base}/setup?token={token}")
    if settings.redis_url is None and not settings.database.drivername.startswith("sqlite"):
        click.echo("No REDIS_URL: other processes see new posts up to a second later.")
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


def _own_address() -> str | None:
    """Return this machine's address in its network; nothing is sent to find it out."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


async def _serve(settings: Settings, config: Config) -> None:
    app = create_app(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    async def drained() -> None:
        await stop.wait()
        await _drain(app.extensions.get(EXTENSION))

    await serve_with_hypercorn(app, config, shutdown_trigger=drained)


async def _drain(runtime: Any) -> None:
    """Close the sockets with 1012, so that clients come back as soon as they may."""
    if not isinstance(runtime, Runtime):
        return
    runtime.stopping.set()
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while runtime.hub.listeners:
                await asyncio.sleep(0.02)
    except TimeoutError:
        pass
