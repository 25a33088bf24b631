"""`microblog doctor`: looks at an installation, and says what to mend."""

import asyncio
import json
import sys
from dataclasses import asdict

import click

from microblog.cli.findings import Finding, fail
from microblog.cli.machine_checks import on_this_machine
from microblog.cli.plainly import PlainCommand, given_settings
from microblog.cli.service_checks import elsewhere
from microblog.core.errors import SettingError
from microblog.edge import logs
from microblog.log_settings import LogSettings
from microblog.settings import Settings

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(cls=PlainCommand)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(as_json: bool) -> None:
    """Look whether everything is well, and say what to mend.

    Changes nothing. Status 1 where something fails; a warning is none.
    """
    logs.configure(LogSettings(log_level="error"))  # what is found is told here
    found = _found()
    if as_json:
        told = [asdict(finding) for finding in found]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for finding in found:
            _print(finding)
        _sum_up(found)
    if any(finding.state == "fail" for finding in found):
        sys.exit(1)


def _found() -> list[Finding]:
    try:
        settings = given_settings()
    except SettingError as error:
        return [fail("settings", str(error), "Correct it: nothing starts before.")]
    return [*on_this_machine(settings), *asyncio.run(_elsewhere(settings))]


async def _elsewhere(settings: Settings) -> list[Finding]:
    return [finding async for finding in elsewhere(settings)]


def _print(finding: Finding) -> None:
    state = click.style(f"{finding.state:4}", fg=COLOURS[finding.state])
    click.echo(f"{state}  {finding.name:9} {finding.says}")
    if finding.mend is not None:
        click.echo(f"{'':16} → {finding.mend}")


def _sum_up(found: list[Finding]) -> None:
    well, better, broken = (sum(one.state == state for one in found) for state in COLOURS)
    click.echo(f"{well} are well, {better} could be better, {broken} must be mended.")
