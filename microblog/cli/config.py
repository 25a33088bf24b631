"""`microblog config`: what is in force, and why."""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import click

from microblog.cli import reference, tables
from microblog.cli.plainly import PlainCommand, given_layers, given_settings
from microblog.environment import ENVIRONMENT
from microblog.settings import Settings, declared, variable

HIDDEN = "***"
_NO_SETTING = {"MICROBLOG_ENV_FILE", "MICROBLOG_COPY_TO"}


_HIDDEN = {item.name for item in declared() if item.metadata["hidden"]}


@dataclass(frozen=True, slots=True)
class Line:
    """A setting as it is shown: its variable, its value without secrets, and its origin."""

    setting: str
    variable: str
    value: Any
    origin: str


@click.command(cls=PlainCommand)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write the list of all settings anew in docs/configuration.md (for developers).",
)
def config(as_json: bool, document: Path | None) -> None:
    """Show every setting, its value and where it came from."""
    if document is not None:
        document.write_text(reference.renewed(document.read_text("utf-8")), "utf-8")
        return
    settings = given_settings()
    lines = [_line(settings, item.name) for item in declared()]
    if as_json:
        found = {
            line.setting: {"variable": line.variable, "value": line.value, "origin": line.origin}
            for line in lines
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print_table(lines)
    for sentence in passed_over():
        click.echo(sentence, err=True)


def passed_over() -> list[str]:
    """Say of each variable that is meant for us and is no setting that it does nothing."""
    told = []
    for name in sorted(_unknown_variables()):
        known = [variable(item.name) for item in declared()]
        close = get_close_matches(name, known, 1)
        advice = f" Did you mean {close[0]}?" if close else ""
        told.append(f"There is no setting {name}: it is passed over.{advice}")
    return told


def _line(settings: Settings, name: str) -> Line:
    origin = settings.origins.get(name)
    if origin is None:
        told = "default"
    elif origin.place == ENVIRONMENT:
        told = f"environment: {origin.variable}"
    else:
        told = f"{origin.place}: {origin.variable}"
    return Line(name, settings.spelling(name), shown(settings, name), told)


def shown(settings: Settings, name: str) -> Any:
    """Return a setting's effective value, fit for JSON, with what is secret masked."""
    value = getattr(settings, name)
    if name == "database_url":
        return masked(settings.database.render_as_string(hide_password=False))
    if name == "secret_key" and not value:
        return f"(kept in {settings.data_dir / 'secret_key'})"
    if name in _HIDDEN and value:
        return masked(value) if "://" in value else HIDDEN
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def masked(address: str) -> str:
    """Return an address with its passwords masked, those in its query too."""
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = [
        (key, HIDDEN if "pass" in key.lower() or "secret" in key.lower() else value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    tail = f"?{urlencode(query, safe='*/:')}" if query else ""
    credentials = f"{name}{colon and f':{HIDDEN}'}{at}"
    return f"{parts.scheme}://{credentials}{host}{parts.path}{tail}"


def _unknown_variables() -> set[str]:
    """Return what looks like a setting in the environment or the env file, and is none."""
    known = {variable(item.name) for item in declared()} | _NO_SETTING
    named = {name for layer in given_layers() for name in layer.values}
    return {name for name in named if name.startswith("MICROBLOG_")} - known


def _print_table(lines: list[Line]) -> None:
    rows = [("Variable", "Value", "From")]
    rows += [(line.variable, _text(line.value), line.origin) for line in lines]
    for line in tables.lines(rows):
        click.echo(line)


def _text(value: Any) -> str:
    match value:
        case None | []:
            return "-"
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(value)
    return str(value)
