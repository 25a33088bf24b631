"""What the help teaches: docs/commands.md says the same, and every example of it can be carried
out.
"""

import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from microblog.cli import main
from microblog.cli.command_reference import leaves, reference
from microblog.cli.examples import EXAMPLES, OWN_STATUSES, STATUSES
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.databases import on
from tests.jobs.conftest import jobs_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
COMMANDS = dict(leaves(main))
LINES = [(path, line) for path, lines in EXAMPLES.items() for line in lines]
each_example = pytest.mark.parametrize(
    ("path", "line"), LINES, ids=[f"{path or 'microblog'}: {line[:40]}" for path, line in LINES]
)
# What is not begun here serves until it is stopped, writes into the checkout, needs a server of
# its own or minutes; each has tests of its own.
NOT_CARRIED_OUT = re.compile(
    r"microblog (serve|jobs --concurrency|demo|translate (init|update|compile)|db migrate)"
    r"|postgresql:|microblog doctor +#"
)
ORDER = ("db init", "user create", "user password", "user role", "user suspend", "user restore")


@dataclass
class Example:
    """A line of a shell, taken apart."""

    words: list[str]
    typed: str = ""
    env: dict[str, str] = field(default_factory=dict)


def taken_apart(line: str) -> Example:
    """Read what the examples have of a shell: variables, a pipe from echo, &&, >, eval, #."""
    if inner := re.match(r'eval "\$\((.+?)\)"', line):
        return taken_apart(inner[1])
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&>")
    lexer.whitespace_split = True
    tokens, typed = list(lexer), ""
    if tokens[0] == "echo":
        typed, tokens = f"{tokens[1]}\n", tokens[tokens.index("|") + 1 :]
    begin = tokens.index("microblog")
    end = next((n for n, token in enumerate(tokens) if token in {"&&", ">"}), len(tokens))
    env = dict(token.split("=", 1) for token in tokens[:begin])
    return Example(tokens[begin + 1 : end], typed, env)


def test_document_is_what_the_commands_say() -> None:
    advice = "run: uv run python -m microblog.cli.command_reference > docs/commands.md"
    assert DOCUMENT.read_text() == reference(), advice


def test_every_command_has_examples_and_every_example_a_command() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys() | {""}
    assert OWN_STATUSES.keys() <= COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_help_shows_examples_and_statuses(run: Run, path: str) -> None:
    printed = run.works(*path.split(), "--help")
    assert [line for line in EXAMPLES[path] if f"  {line}\n" not in printed] == []
    assert re.search(r"It ends with:\n  0 +it is done\n  1 +\w", printed)


@each_example
def test_example_is_understood(empty_folder: Path, path: str, line: str) -> None:
    (empty_folder / "before.db").touch()
    words = taken_apart(line).words
    context = main.make_context("microblog", list(words))
    called = []
    while isinstance(context.command, click.Group) and context._protected_args:
        name, command, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert command is not None
        called.append(name)
        if "--help" in rest:
            break
        context = command.make_context(name, rest, parent=context)
    assert " ".join(map(str, called)).startswith(path)


def test_examples_can_be_carried_out_one_after_the_other(run: Run, settings: Settings) -> None:
    async def leave(database: Database) -> int:
        async with database.write() as tx:
            tx.enqueue(Prune(), key="one", at=datetime.now(UTC) + timedelta(hours=1))
        return int((await jobs_of(database, Prune.kind))[-1].id)

    job_id = on(settings, leave)
    Path("my.env").write_text("MICROBLOG_SITE_NAME=Ours\n")
    Path("backups").mkdir()
    ordered = sorted(LINES, key=lambda each: ORDER.index(each[0]) if each[0] in ORDER else 99)
    done = []
    for _, line in ordered:
        if NOT_CARRIED_OUT.search(line) or line in done:
            continue
        done.append(line)
        example = taken_apart(line)
        words = [str(job_id) if word == "17" else word for word in example.words]
        if words[:2] == ["user", "create"] and not example.typed:
            words, example.typed = [*words, "--password-stdin"], "a long sentence of mina"
        if words[0] == "secret":
            example.env["MICROBLOG_SECRET_KEY"] = ""
        result = run(*words, typed=example.typed, **example.env)
        assert result.exit_code == 0, f"{line}\n{result.output}"
    assert len(done) >= 30


# --- How they end --------------------------------------------------------------------------------


def test_statuses_are_what_is_said(run: Run) -> None:
    assert set(STATUSES) == {0, 1, 2}
    assert run("config").exit_code == 0
    assert run("config", MICROBLOG_POSTS_PER_PAGE="many").exit_code == 1
    assert run("db", "restore", "absent.db").exit_code == 2
    assert run("user", "role", "nobody", "queen").exit_code == 2
    assert run("--no-such-option").exit_code == 2


def test_who_says_no_ends_with_1(run: Run) -> None:
    run.works("db", "backup", "one.db")
    done = run("db", "restore", "one.db", typed="n\n")
    assert done.exit_code == 1
    assert "Aborted" in done.stderr
