"""The command line as a whole: its help, what it loads, its env file, and quart's way to it."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from microblog.cli import COMMANDS, main
from tests.cli.conftest import Run, one_sentence, process

GROUPS = ("config", "db", "demo", "jobs", "user")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_of_each_command_what_the_command_says_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.get_short_help_str(limit=200) == COMMANDS[name].removesuffix(".")[:200] + "."


def test_help_names_every_command() -> None:
    printed = CliRunner().invoke(main, ["--help"]).stdout
    assert [name for name in COMMANDS if f"  {name} " not in printed] == []


@pytest.mark.parametrize("words", [["--help"], ["user", "--help"], ["config"]])
def test_quick_commands_do_not_wait_for_slow_libraries(
    words: list[str], empty_folder: Path
) -> None:
    program = (
        "import sys; from microblog.cli import main; main(standalone_mode=False);"
        "slow = {'alembic.command', 'alembic.config', 'httpx', 'numpy', 'py3langid'};"
        "slow &= set(sys.modules);"
        "sys.exit(f'loaded {slow}' if slow else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=empty_folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_unknown_command_is_told_with_the_usage() -> None:
    done = CliRunner().invoke(main, ["sevre"])
    assert done.exit_code == 2
    assert "No such command 'sevre'" in done.stderr


def test_env_file_of_the_option_holds_for_this_run_only(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "my.env"
    path.write_text("MICROBLOG_SITE_NAME=Our village\n")
    assert "Our village" in run.works("--env-file", str(path), "config")
    assert "Our village" not in run.works("config")


def test_env_file_that_is_not_there_is_one_sentence(run: Run) -> None:
    told = run.fails("--env-file", "absent.env", "config")
    assert told == "The env file absent.env does not exist."


def test_quart_has_the_groups_and_speaks_as_plainly(tmp_path: Path) -> None:
    quart = ("quart", "--app", "microblog")
    names = process(*quart, "--help", folder=tmp_path).stdout
    assert [name for name in GROUPS if f"\n  {name} " not in names] == []
    ready = process(*quart, "db", "init", folder=tmp_path)
    assert ready.returncode == 0, ready.stderr
    told = process(*quart, "user", "role", "nobody_here", "admin", folder=tmp_path)
    assert told.returncode == 1
    assert "nobody_here" in one_sentence(told.stderr)


@pytest.mark.parametrize(
    "words", [("config",), ("db", "init"), ("demo",), ("user", "role", "a", "admin")]
)
def test_wrong_setting_is_one_sentence_in_each_group_of_quart(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = process(
        "quart", "--app", "microblog", *words, folder=tmp_path, MICROBLOG_POSTS_PER_PAGE="many"
    )
    assert done.returncode == 1
    assert one_sentence(done.stderr).startswith("MICROBLOG_POSTS_PER_PAGE 'many'")
