"""The command line. Each module is a command or a group of them; `quart --app microblog …` has
the groups too, by entry points.
"""

import os
from pathlib import Path

import click

from microblog.cli.config import config
from microblog.cli.db import db
from microblog.cli.demo import demo
from microblog.cli.routes import routes
from microblog.cli.serve import serve
from microblog.cli.user import user
from microblog.core.errors import SettingError, Unavailable


class PlainlySpoken(click.Group):
    """A group whose errors are one sentence each, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingError as error:
            raise click.ClickException(str(error)) from None
        except Unavailable as error:
            raise click.ClickException(
                f"The database is out of reach ({error.__cause__}). Is it running, and is "
                "DATABASE_URL right?"
            ) from None


@click.group(cls=PlainlySpoken)
@click.version_option(package_name="microblog")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    help="Read settings from this file; the environment is stronger.",
)
def main(env_file: Path | None) -> None:
    """Run and administer a microblog."""
    if env_file is not None:
        os.environ["MICROBLOG_ENV_FILE"] = str(env_file)


for command in (config, db, demo, routes, serve, user):
    main.add_command(command)
