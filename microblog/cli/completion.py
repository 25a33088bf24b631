"""`microblog completion`: the Tab key completes commands, options and their values."""

import click
from click.shell_completion import get_completion_class

from microblog.cli.plainly import PlainCommand

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "microblog"


@click.command(cls=PlainCommand)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what lets SHELL complete commands and options by the Tab key."""
    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"Nothing is known of {shell}.")
    made = found(ctx.find_root().command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE")
    click.echo(made.source())
