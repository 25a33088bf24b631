"""Rows as a table for a terminal. Used by `shell` and `config`."""

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Row, inspect
from sqlalchemy.orm import Mapper

from microblog.models import Model

HIDDEN = "***"
LONGEST_CELL = 60
_SECRET = ("hash", "secret")


def columns(text: str) -> int:
    """Count the columns of a terminal: Hangul takes two each, a combining mark none."""
    return sum(
        0
        if unicodedata.combining(letter)
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )


def padded(text: str, width: int) -> str:
    """Fill a text up with spaces."""
    return text + " " * (width - columns(text))


def lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows, the first of them the heading, with their columns one below the other."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(padded, row, widths)).rstrip()


def drawn(things: Iterable[Any], width: int | None) -> Iterator[str]:
    """Yield the lines of a table of models, rows or plain values.

    What is wider than `width` columns is shown one field a line instead.
    """
    records = [_fields(thing) for thing in things]
    names = list(dict.fromkeys(name for record in records for name in record))
    if not names:
        return
    texts = [[_cell(name, record.get(name, "")) for name in names] for record in records]
    table = list(lines([names, *texts]))
    if width is None or max(map(columns, table)) <= width:
        rule = "  ".join("-" * max(map(columns, column)) for column in zip(names, *texts))  # noqa: B905
        yield from [table[0], rule, *table[1:]]
        return
    widest = max(map(columns, names))
    for number, row in enumerate(texts, start=1):
        yield f"-- {number} " + "-" * widest
        yield from (
            f"{padded(name, widest)}  {text}" for name, text in zip(names, row, strict=True)
        )


def terminal_width() -> int | None:
    """Return how many columns there are room for; None where nobody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _fields(thing: Any) -> dict[str, Any]:
    """Return what a thing consists of, by name."""
    if isinstance(thing, Model):
        state: Mapper[Any] = inspect(type(thing))
        absent = inspect(thing).unloaded
        return {
            attribute.key: getattr(thing, attribute.key)
            for attribute in state.column_attrs
            if attribute.key not in absent
        }
    if isinstance(thing, Row):
        if len(thing) == 1 and isinstance(thing[0], Model):
            return _fields(thing[0])
        return {
            name: value.__dict__.get("id", value) if isinstance(value, Model) else value
            for name, value in thing._mapping.items()
        }
    if isinstance(thing, tuple) and hasattr(thing, "_asdict"):
        return dict(thing._asdict())
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: getattr(thing, field.name) for field in fields(thing)}
    if isinstance(thing, dict):
        return {str(name): value for name, value in thing.items()}
    return {"value": thing}


def _cell(name: str, value: Any) -> str:
    """Write one value in one line; nobody has to see what is secret."""
    if value and name.endswith(_SECRET):
        return HIDDEN
    match value:
        case None:
            return "-"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M:%S}"
        case Enum():
            text = str(value.value)
        case _:
            text = str(value)
    text = "".join(letter if letter.isprintable() else "␤" for letter in text)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
