"""The Tab key: what a shell is told to complete, tried in a real bash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from microblog.cli import main
from tests.cli.conftest import Run
from tests.requiring import require
from tests.services import clean_environment

PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("shell", "says"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete")]
)
def test_each_shell_gets_its_script(run: Run, shell: str, says: str) -> None:
    printed = run.works("completion", shell)
    assert says in printed
    assert f"_MICROBLOG_COMPLETE={shell}_complete" in printed


def test_unknown_shell_is_a_mistake_of_the_line(run: Run) -> None:
    done = run("completion", "csh")
    assert done.exit_code == 2
    assert "bash" in done.stderr


@pytest.mark.parametrize(
    ("before", "begun", "wanted"),
    [
        ([], "do", ["doctor"]),
        (["user"], "cr", ["create"]),
        (["user", "role", "mina"], "", ["member", "admin"]),
        (["jobs", "list"], "--d", ["--dead"]),
        (["completion"], "f", ["fish"]),
    ],
)
def test_commands_options_and_values_are_completed(
    before: list[str], begun: str, wanted: list[str]
) -> None:
    asked = BashComplete(main, {}, "microblog", "_MICROBLOG_COMPLETE")
    assert [one.value for one in asked.get_completions(before, begun)] == wanted


def test_bash_completes(empty_folder: Path) -> None:
    require("bash")
    script = """
        eval "$(microblog completion bash)"
        COMP_WORDS=(microblog user role mina a); COMP_CWORD=4
        _microblog_completion microblog; echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=empty_folder,
        env={**clean_environment(), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["admin"], done.stderr
