"""Groups and commands whose errors are one sentence each, without a traceback.

Every command uses these, so that it speaks the same way under `microblog` and under
`quart --app microblog`. Here is also where a command gets its settings.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from microblog.cli.examples import EXAMPLES, statuses
from microblog.core.errors import Invalid, MicroblogError, Unavailable
from microblog.drivers import mariadb_number
from microblog.environment import Layer, layers
from microblog.settings import Settings

ENV_FILE = "microblog.env_file"
_WRAPPED = re.compile(r"^(?:<class '[^']+'>: |\([\w.]+\) )+")


class _Teaching(click.Command):
    """A command whose help ends with examples, and with what its statuses mean."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        path = _path(ctx)
        if lines := EXAMPLES.get(path):
            with formatter.section("Examples"):
                for line in lines:  # never wrapped: they are to be copied
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        with formatter.section("It ends with"):
            formatter.write_dl([(str(one), when) for one, when in statuses(path).items()])


class PlainCommand(_Teaching):
    """A command that ends with status 1 and a sentence where something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        with _plainly():
            return super().invoke(ctx)


class PlainGroup(_Teaching, click.Group):
    """A group of such commands."""

    command_class = PlainCommand

    def invoke(self, ctx: click.Context) -> Any:
        with _plainly():
            return super().invoke(ctx)


def _path(ctx: click.Context) -> str:
    """Return the words that call a command, without the name of the program before them."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, ctx.info_name or "")
        ctx = ctx.parent
    return " ".join(names)


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except (MicroblogError, DBAPIError) as error:
        raise click.ClickException(sentence(error)) from None


def sentence(error: MicroblogError | DBAPIError) -> str:
    """Say in a sentence what is wrong."""
    match error:
        case Unavailable():
            cause = reason(error.__cause__ or error)
            return (
                f"The database is out of reach ({cause}). Is it running, and is DATABASE_URL right?"
            )
        case Invalid():
            found = [one for messages in error.errors.values() for one in messages]
            return " ".join(map(str, found))
        case MicroblogError():
            return str(error)
    return f"The database refused: {reason(error)}."


def reason(error: BaseException) -> str:
    """Return the first line of what a database or the system says, without wrapping."""
    told = getattr(error, "orig", None) or error
    if mariadb_number(told) is not None:
        told = told.args[1]  # beside the number
    lines = _WRAPPED.sub("", str(told)).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(told).__name__


def given_settings() -> Settings:
    """Read the settings that hold for the command that is running; raises SettingError."""
    return Settings.from_env(env_file=click.get_current_context().meta.get(ENV_FILE))


def given_layers() -> list[Layer]:
    """Return the places where the settings of this command stand; raises SettingError."""
    return layers(os.environ, click.get_current_context().meta.get(ENV_FILE))
