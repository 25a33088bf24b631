"""`microblog notes`: the marks in the code, with their reasons and places."""

import json
from pathlib import Path

from microblog.cli.notes import Note, written
from tests.cli.conftest import Run

PYTHON = '''\
"""A text with TODO: not a note."""
x = "FIXME: neither"
# HACK: it is written over
# two lines.

# Something else.
y = 1  # XXX: the lock must be held here
z = 2
'''
SCRIPT = """\
// TODO: ask again after a while
const a = "HACK: no";
/* FIXME: this is known
 * and told */
"""


def test_notes_are_found_in_comments_alone(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "",
        "microblog/one.py": PYTHON,
        "static/js/two.js": SCRIPT,
        "static/vendor/theirs.js": "// TODO: not ours",
        "templates/page.html": "<p>{# XXX: shown to all #}</p>",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert list(written(tmp_path)) == [
        Note("microblog/one.py", 3, "HACK", "it is written over two lines."),
        Note("microblog/one.py", 7, "XXX", "the lock must be held here"),
        Note("templates/page.html", 1, "XXX", "shown to all"),
        Note("static/js/two.js", 1, "TODO", "ask again after a while"),
        Note("static/js/two.js", 3, "FIXME", "this is known and told"),
    ]


def test_installed_program_does_not_read_its_neighbours(tmp_path: Path) -> None:
    for folder in ("microblog", "alembic"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.py").write_text("# TODO: this and that\n")
    assert [note.file for note in written(tmp_path)] == ["microblog/one.py"]


def test_notes_of_this_project_are_listed_with_their_places(run: Run) -> None:
    lines = run.works("notes").splitlines()
    found = json.loads(run.works("notes", "--json"))
    assert len(lines) == len(found) > 0
    (one,) = [note for note in found if note["file"] == "microblog/drivers.py"]
    assert f"microblog/drivers.py:{one['line']}: HACK: aiomysql" in "\n".join(lines)


def test_notes_of_one_mark(run: Run) -> None:
    assert {line.split(": ")[1] for line in run.works("notes", "--mark", "HACK").splitlines()} == {
        "HACK"
    }
