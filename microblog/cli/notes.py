"""`microblog notes`: what is still to be done in the code, as the code itself says it."""

import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from microblog.cli.plainly import PlainCommand
from microblog.resources import PACKAGE

MARKS = {
    "TODO": "to do",
    "FIXME": "a known fault",
    "HACK": "works, and is not elegant",
    "XXX": "a danger",
}
FOLDERS = ("microblog", "alembic", "templates", "static", "tests", "benchmarks", "examples")
NOT_OURS = {"vendor", "__pycache__", "node_modules"}
_NOTE = re.compile(rf"\b({'|'.join(MARKS)}):\s*(.*)")
_OUTSIDE = {
    ".js": re.compile(r"^\s*(?://|/?\*+)(.*)|//\s(.*)"),
    ".css": re.compile(r"/?\*+(.*)"),
    ".html": re.compile(r"\{#(.*)|<!--(.*)"),
}
_END = re.compile(r"\s*(?:\*/|#\}|-->).*$")


@dataclass(frozen=True, slots=True)
class Note:
    """A mark in the code and its reason."""

    file: str
    line: int
    mark: str
    reason: str


@click.command(cls=PlainCommand)
@click.option("--mark", type=click.Choice(list(MARKS)), help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def notes(mark: str | None, as_json: bool) -> None:
    """List what the code says of itself: TODO, FIXME, HACK and XXX (for developers).

    Each with its reason, and the file and line where it stands.
    """
    found = [note for note in written(PACKAGE.parent) if mark in {None, note.mark}]
    if as_json:
        click.echo(json.dumps([asdict(note) for note in found], ensure_ascii=False, indent=2))
        return
    for note in found:
        click.echo(f"{note.file}:{note.line}: {note.mark}: {note.reason}")
    if not found:
        click.echo("There are none.")


def written(root: Path) -> Iterator[Note]:
    """Yield the notes in the program's own code below a folder, file by file."""
    # Installed from a wheel it stands among other people's folders.
    is_checkout = (root / "pyproject.toml").is_file()
    for folder in FOLDERS if is_checkout else FOLDERS[:1]:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            ours = not NOT_OURS & set(name.parts) and path.suffix in {".py", *_OUTSIDE}
            if ours and _NOTE.search(path.read_text(encoding="utf-8")):
                yield from _notes(name.as_posix(), _comments(path))


def _notes(file: str, comments: list[tuple[int, str]]) -> Iterator[Note]:
    """Yield what follows a mark, with the lines of comment that go on from it."""
    current: Note | None = None
    last = 0
    for line, text in comments:
        begun = _NOTE.search(text)
        if begun is None and current is not None and line == last + 1 and text.strip():
            reason = f"{current.reason} {text.strip()}".strip()
            current = Note(file, current.line, current.mark, reason)
        else:
            if current is not None:
                yield current
            current = Note(file, line, begun[1], begun[2].strip()) if begun else None
        last = line
    if current is not None:
        yield current


def _comments(path: Path) -> list[tuple[int, str]]:
    """Return the comments of a file, each line of them with its number."""
    if path.suffix == ".py":
        with path.open("rb") as file:
            tokens = list(tokenize.tokenize(file.readline))
        return [
            (token.start[0], token.string.lstrip("# "))
            for token in tokens
            if token.type == tokenize.COMMENT
        ]
    pattern, found = _OUTSIDE[path.suffix], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if comment := pattern.search(line):
            found.append((number, _END.sub("", next(filter(None, comment.groups()), ""))))
    return found
