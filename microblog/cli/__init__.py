"""The command line. Each module is a command or a group of them; `quart --app microblog …` has
the groups too, by entry points.
"""

from importlib import import_module
from pathlib import Path

import click

from microblog.cli.plainly import ENV_FILE, PlainGroup

COMMANDS = {
    "cert": "Make a self-signed certificate for localhost, this machine and NAMES.",
    "completion": "Print what lets SHELL complete commands and options by the Tab key.",
    "config": "Show every setting, its value and where it came from.",
    "db": "Make, upgrade, check, back up, restore and copy the database.",
    "demo": "Fill the microblog with invented people and posts, to look round in.",
    "doctor": "Look whether everything is well, and say what to mend.",
    "jobs": "Do the work that waits behind the pages; list, retry and cancel it.",
    "notes": "List what the code says of itself: TODO, FIXME, HACK and XXX (for developers).",
    "routes": "Show every address that the server answers.",
    "search": "Make the search index anew, while people write and search.",
    "secret": "Replace the secret that signs cookies and tokens.",
    "serve": "Serve the microblog, with its database made or upgraded first.",
    "shell": "Talk to the microblog in Python, with `await`; also what is piped into it.",
    "translate": "Keep the translations complete.",
    "user": "Make people, change their passwords and roles, keep somebody out.",
}


class Lazy(PlainGroup):
    """A group whose commands are imported when they are called: some take long to import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"microblog.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy)
@click.version_option(package_name="microblog")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    help="Read settings from this file; the environment is stronger.",
)
@click.pass_context
def main(ctx: click.Context, env_file: Path | None) -> None:
    """Run and administer a microblog.

    Settings are variables of the environment, or lines of the file .env in the working folder.
    """
    ctx.meta[ENV_FILE] = env_file
