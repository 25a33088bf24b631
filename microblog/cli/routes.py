"""`microblog routes`."""

import click


@click.command()
def routes() -> None:
    """To be written."""
