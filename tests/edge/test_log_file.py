"""The file of the log: full ones are kept, and several processes write to it."""

import subprocess
import sys
from pathlib import Path

import pytest

from microblog.edge import log_file
from microblog.edge.log_file import RotatingFile

LINES, WRITERS, MOST_BYTES = 400, 4, 4_000
LONGEST_LINE = 50
PROGRAM = """
import runpy, sys
from pathlib import Path
log = runpy.run_path(sys.argv[1])["RotatingFile"](Path(sys.argv[2]), int(sys.argv[4]), 1_000)
for line in range(int(sys.argv[5])):
    log.write(f"{sys.argv[3]} {line} {'x' * 40}\\n")
"""


def test_no_line_is_lost_or_broken_between_processes(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "microblog.log"
    begin = [sys.executable, "-I", "-c", PROGRAM, str(log_file.__file__), str(path)]
    writers = [
        subprocess.Popen([*begin, str(number), str(MOST_BYTES), str(LINES)])
        for number in range(WRITERS)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * WRITERS
    files = list(path.parent.iterdir())
    most = MOST_BYTES + WRITERS * LONGEST_LINE  # all may look before any of them writes
    assert [file.name for file in files if file.stat().st_size > most] == []
    lines = [line for file in files for line in file.read_text().splitlines()]
    expected = {f"{n} {line} {'x' * 40}" for n in range(WRITERS) for line in range(LINES)}
    assert len(lines) == len(expected)
    assert set(lines) == expected
    assert len(files) > 10


def test_only_so_many_full_files_are_kept(tmp_path: Path) -> None:
    log = RotatingFile(tmp_path / "a.log", 10, 2)
    for number in range(5):
        log.write(f"line {number}\n")
    log.close()
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {"a.log": "line 4\n", "a.log.1": "line 3\n", "a.log.2": "line 2\n"}


def test_file_that_was_moved_or_removed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = RotatingFile(path, 1_000, 2)
    log.write("one\n")
    path.rename(tmp_path / "moved")
    log.write("two\n")
    assert path.read_text() == "two\n"
    path.unlink()
    log.write("three\n")
    log.close()
    assert path.read_text() == "three\n"


def test_disk_that_takes_nothing_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    log = RotatingFile(Path("/dev/full"), 1_000, 2)
    log.write("lost\n")
    log.close()
    assert "takes nothing" in capsys.readouterr().err
