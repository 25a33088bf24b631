"""docs/commands.md, written from the commands themselves. A test holds the document to it.

`python -m microblog.cli.command_reference` prints it.
"""

import re
from collections.abc import Iterator

import click

from microblog.cli import main
from microblog.cli.examples import EXAMPLES, OWN_STATUSES, STATUSES

BEGIN = """\
# Commands

What `microblog --help` and the help of each command tell, in one place. This page is written by
`uv run python -m microblog.cli.command_reference > docs/commands.md`; a test holds it to the
program, and carries out the examples.

Every command reads the settings as the server does ([`.env.example`](../.env.example)), and takes
`--help`. Before the command may stand `--env-file FILE`, and `--version` alone. In a checkout write
`uv run microblog …`. What is long shows a bar while somebody looks, and none in a pipe.

| it ends with | when |
|---|---|
{statuses}

The Tab key completes commands, options and their values:

```
{completion}
```

## Contents

{contents}
"""


def leaves(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with the words that call it, groups before what is in them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            path = (*before, name)
            yield " ".join(path), command
            if isinstance(command, click.Group):
                yield from leaves(command, path)


def reference() -> str:
    """Return the whole document."""
    found = list(leaves(main))
    contents = [f"- [`{path}`](#microblog-{path.replace(' ', '-')})" for path, _ in found]
    begin = BEGIN.format(
        statuses="\n".join(f"| {status} | {when} |" for status, when in STATUSES.items()),
        completion="\n".join(EXAMPLES["completion"]),
        contents="\n".join(contents),
    )
    return "\n".join([begin, *(_section(path, command) for path, command in found)])


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"microblog {path}")
    parts = [f"## `microblog {path}`", _paragraphs(command.help or "")]
    parts.append(f"```\n{command.get_usage(context).removeprefix('Usage: ')}\n```")
    options = [one for one in command.params if isinstance(one, click.Option)]
    records = [record for one in options if (record := one.get_help_record(context))]
    rows = [f"| `{_plain(name)}` | {_plain(text)} |" for name, text in records]
    if rows:
        parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    parts.append("```\n" + "\n".join(EXAMPLES.get(path, ())) + "\n```")
    own = OWN_STATUSES.get(path, {})
    parts += [f"Status {status}: {when}." for status, when in own.items()]
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))


def _plain(text: str) -> str:
    """Fit a text into a cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
