"""`microblog serve`: make or upgrade the database, say where to look, and serve."""

import asyncio
import signal
from dataclasses import replace
from typing import Any

import click
from hypercorn.asyncio import serve as serve_with_hypercorn
from hypercorn.config import Config

from microblog.cli.listening import address, neighbours_address, server_config, take_addresses
from microblog.cli.migrations import upgrade_to_head
from microblog.cli.plainly import PlainCommand, given_settings
from microblog.core.tokens import setup_token
from microblog.database import open_database
from microblog.factory import create_app
from microblog.queries import events, users
from microblog.runtime import EXTENSION, Runtime
from microblog.secret_file import keep
from microblog.settings import Settings

DRAIN_SECONDS = 3.0


@click.command(cls=PlainCommand)
@click.option("--host", help="Address to listen on; 0.0.0.0 for other machines too.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the microblog, with its database made or upgraded first.

    Listens on 127.0.0.1 port 8000, or where `bind` says in the file hypercorn.toml of the working
    folder; the options win over the file.
    """
    settings = given_settings()
    settings = replace(settings, secret_key=settings.secret_key or keep(settings.data_dir))
    config = server_config()
    names = take_addresses(config, host, port)
    upgrade_to_head(settings)
    _greet(names, settings, secure=config.ssl_enabled)
    asyncio.run(_serve(settings, config))


def _greet(names: list[Any], settings: Settings, *, secure: bool) -> None:
    base = settings.public_url or address(names[0], secure=secure)
    click.echo(f"Microblog is at {base}")
    if neighbour := neighbours_address(names, secure=secure):
        click.echo(f"In the same network, for example on a phone: {neighbour}")
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
