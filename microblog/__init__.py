"""Microblog: a self-hosted, real-time microblog. `hypercorn microblog:app` serves it."""

from microblog.factory import create_app

app = create_app()

__all__ = ["app", "create_app"]
