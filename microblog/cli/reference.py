"""The list of all settings in `docs/configuration.md`, made from the settings themselves.

`microblog config --document` writes it, and a test compares.
"""

from dataclasses import Field
from inspect import get_annotations
from typing import Any

from microblog.core.errors import SettingError
from microblog.core.kinds import words_of
from microblog.settings import Settings, declared, variable

BEGIN = "<!-- Written by: uv run microblog config --document docs/configuration.md -->"
END = "<!-- The end of what is written -->"
_HEAD = "| Setting | Type | Unit | Default | Example | What it is |\n|---|---|---|---|---|---|"


def renewed(document: str) -> str:
    """Return a document with the list in it made anew.

    Raises SettingError for one that has no place for it.
    """
    before, begun, rest = document.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise SettingError(f"The document has no place for the list, between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{written()}\n\n{END}{after}"


def written() -> str:
    """Return the list in Markdown, a table for each part of the settings."""
    parts: dict[type, list[str]] = {Settings: []}  # what is of no part comes first
    for item in declared():
        parts.setdefault(_part(item.name), []).append(_row(item))
    pieces = [(f"### {_title(part)}", "", _HEAD, *rows) for part, rows in parts.items()]
    return "\n\n".join("\n".join(piece) for piece in pieces)


def _part(name: str) -> type:
    """Return the class in which a setting is declared."""
    return next(part for part in Settings.__mro__ if name in get_annotations(part))


def _title(part: type) -> str:
    return part.__name__.removesuffix("Settings") or "General"


def _row(item: Field[Any]) -> str:
    names = "<br>".join(f"`{name}`" for name in (variable(item.name), *item.metadata["aliases"]))
    unit = item.metadata["unit"] or "–"
    default, example = _default(item.default), f"`{item.metadata['example']}`"
    cells = (names, _type(item), unit, default, example, item.metadata["text"])
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(item: Field[Any]) -> str:
    words = words_of(item.metadata["read"])
    return words.removeprefix("a ").removeprefix("an ")


def _default(value: Any) -> str:
    match value:
        case None | ():
            return "–"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            return f"`{','.join(map(str, value))}`"
    return f"`{value}`"
