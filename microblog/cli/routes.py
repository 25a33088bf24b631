"""`microblog routes`: what the server answers."""

import click

from microblog.cli.plainly import PlainCommand
from microblog.factory import create_app


@click.command(cls=PlainCommand)
def routes() -> None:
    """Show every address that the server answers."""
    rows = [("Methods", "Path", "Endpoint")]
    for rule in sorted(create_app().url_map.iter_rules(), key=lambda rule: rule.rule):
        # HEAD and OPTIONS go without saying.
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        shown = "WebSocket" if rule.websocket else " ".join(methods)
        rows.append((shown, rule.rule, rule.endpoint))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for methods_, path, endpoint in rows:
        click.echo(f"{methods_:{widths[0]}}  {path:{widths[1]}}  {endpoint}")
