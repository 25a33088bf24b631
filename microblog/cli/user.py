"""`microblog user`."""

import click


@click.command()
def user() -> None:
    """To be written."""
