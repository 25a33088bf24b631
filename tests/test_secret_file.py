"""The server's own secret: made once, for its owner's eyes, and kept."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from microblog.core.errors import SettingError
from microblog.secret_file import keep
from tests.services import clean_environment

START = "import sys; from pathlib import Path; from microblog.secret_file import keep;"


def test_secret_is_made_for_the_owner_alone_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (secret,) = keep(folder)
    path = folder / "secret_key"
    assert len(bytes.fromhex(secret)) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keep(folder) == (secret,)
    assert list(folder.iterdir()) == [path]


def test_two_folders_have_different_secrets(tmp_path: Path) -> None:
    assert keep(tmp_path / "a") != keep(tmp_path / "b")


def test_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keep(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_secret_that_others_may_touch_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    keep(tmp_path)
    path = tmp_path / "secret_key"
    path.chmod(mode)
    with pytest.raises(SettingError, match=f"chmod 600 {path}"):
        keep(tmp_path)
    path.chmod(0o600)
    keep(tmp_path)


def test_secret_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.write_bytes(b"\xff" * 64)
    path.chmod(0o600)
    with pytest.raises(SettingError, match="it is no text"):
        keep(tmp_path)


@pytest.mark.parametrize("content", ["", "short"])
def test_secret_that_is_too_short_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret_key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SettingError, match="too short"):
        keep(tmp_path)


def test_secret_that_cannot_be_made_or_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="cannot be read or made"):
        keep(tmp_path / "file")
    (tmp_path / "secret_key").mkdir(mode=0o700)
    with pytest.raises(SettingError, match="cannot be read or made"):
        keep(tmp_path)


def test_leftovers_of_a_killed_start_do_no_harm(tmp_path: Path) -> None:
    # In a container every start has the same process id.
    (tmp_path / f"secret_key.{os.getpid()}").write_text("half a sec")
    assert len(keep(tmp_path)[0]) >= 32


def test_starts_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    wait = "print('ready', flush=True); sys.stdin.readline();"
    program = f"{START} {wait} print(*keep(Path({str(tmp_path / 'var')!r})))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    secrets = {process.communicate(timeout=90)[0] for process in running}
    assert secrets == {keep(tmp_path / "var")[0] + "\n"}
