"""`microblog demo`."""

import click


@click.command()
def demo() -> None:
    """To be written."""
