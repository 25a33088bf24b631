"""The JSON API under `/api`: a module a noun."""

from quart import Quart


def install(app: Quart) -> None:
    """Add the API to an application."""
