"""`microblog jobs`: work that is done behind the pages, in a process of its own; and what waits."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from microblog.actions import jobs as actions
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainGroup, given_settings
from microblog.cli.process import open_loop
from microblog.core.errors import NotFound
from microblog.core.tasks import State
from microblog.database import Tx
from microblog.edge import drain, logs
from microblog.factory import create_app
from microblog.queries import jobs as queries
from microblog.queries.jobs import ListedJob
from microblog.runtime import EXTENSION, Runtime
from microblog.settings import Settings

UNFINISHED = (State.WAITING, State.RUNNING, State.CANCELLING)
MOST_LISTED = 100


@click.group(cls=PlainGroup, invoke_without_command=True)
@click.option(
    "--concurrency", type=click.IntRange(1, 1_000), default=4, help="Jobs done at once; 4."
)
@click.pass_context
def jobs(ctx: click.Context, concurrency: int) -> None:
    """Do the work that waits behind the pages; list, retry and cancel it.

    Without a further command this is a process that does nothing else until it is told to stop;
    set MICROBLOG_JOBS_CONCURRENCY=0 for those that serve.
    """
    if ctx.invoked_subcommand is None:
        settings = replace(given_settings(), jobs_concurrency=concurrency)
        click.echo("Doing what waits. Stop with Ctrl+C.")
        with asyncio.Runner(loop_factory=open_loop) as runner:
            runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    """Have a worker, and all that its jobs need, but listen to nobody."""
    logs.take_in_libraries()
    app = create_app(settings)
    await app.startup()
    runtime: Runtime = app.extensions[EXTENSION]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, runtime.stopping.set)
    if (ending := drain.of(app)) is not None:
        ending.last_resort = drain.leave
    await runtime.stopping.wait()
    await app.shutdown()


@jobs.command(name="list")
@click.option("--dead", is_flag=True, help="Those that failed as often as they may.")
@click.option("--all", "everything", is_flag=True, help="Finished ones too.")
def list_(dead: bool, everything: bool) -> None:
    """Show what waits, runs or failed, newest first, a hundred at most."""
    states = list(State) if everything else [State.DEAD] if dead else [*UNFINISHED, State.DEAD]
    found = asyncio.run(_listed(given_settings(), states))
    if not found:
        click.echo("There are none.")
    for row in found:
        click.echo(_line(row))


async def _listed(settings: Settings, states: list[State]) -> list[ListedJob]:
    async with opened(settings) as database, database.read() as read:
        return await queries.listed(read, states, MOST_LISTED)


def _line(row: ListedJob) -> str:
    words = [f"{row.id:>8}", f"{row.kind:<16}", f"{row.state:<10}", f"attempt {row.attempt}"]
    if row.state == State.RUNNING:
        words += [f"{row.progress}%", f"by {row.claimed_by}"]
    elif row.due_at is not None:
        words.append(f"due {row.due_at:%Y-%m-%d %H:%M:%S} UTC")
    if row.error is not None:
        words.append(row.error)
    return "  ".join(words).rstrip()


@jobs.command()
@click.argument("job_id", metavar="ID", type=int)
def retry(job_id: int) -> None:
    """Begin anew with the job ID, which failed, was cancelled or waits for its next attempt."""
    _change(job_id, lambda tx, now: actions.retry(tx, job_id, now))
    click.echo(f"{job_id} is tried again.")


@jobs.command()
@click.argument("job_id", metavar="ID", type=int)
def cancel(job_id: int) -> None:
    """Let the job ID not be done; where it runs, it stops as soon as it notices."""
    _change(job_id, lambda tx, now: actions.cancel(tx, job_id, now))
    click.echo(f"{job_id} is cancelled.")


def _change(job_id: int, change: Callable[[Tx, datetime], Coroutine[Any, Any, None]]) -> None:
    async def write() -> None:
        async with opened(given) as database, database.write() as tx:
            await change(tx, datetime.now(UTC))

    given = given_settings()
    try:
        asyncio.run(write())
    except NotFound:
        raise click.ClickException(f"There is no job {job_id}.") from None
