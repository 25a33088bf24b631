"""`microblog config`: what is in force, and why."""

import json
import os
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import click

from microblog.cli import tables
from microblog.cli.plainly import PlainCommand, given_settings
from microblog.settings import Settings, declared, variable
from microblog.variables import ENVIRONMENT

HIDDEN = "***"
_NO_SETTING = {"MICROBLOG_ENV_FILE"}


@dataclass(frozen=True, slots=True)
class Line:
    """A setting as it is shown: its variable, its value without secrets, and its origin."""

    setting: str
    variable: str
    value: Any
    origin: str


@click.command(cls=PlainCommand)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def config(as_json: bool) -> None:
    """Show every setting, its value and where it came from."""
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
    match name:
        case "mail_password":
            return HIDDEN if value else None
        case "secret_key":
            return HIDDEN if value else f"(kept in {settings.data_dir / 'secret_key'})"
        case "database_url":
            return masked(settings.database.render_as_string(hide_password=False))
        case "translator_key":
            return HIDDEN if value else None
        case "redis_url":
            return masked(value) if value else None
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
    known = {variable(item.name) for item in declared()} | _NO_SETTING
    return {name for name in os.environ if name.startswith("MICROBLOG_")} - known


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
