"""Pictures for people without a picture: drawn here, from a name, never asked of a third party.

`web` serves them. The same seed gives the same picture for ever, so they can be cached.
"""

import colorsys
import hashlib
from collections.abc import Iterator
from typing import Final

_COLUMNS: Final = 3
"""Those that are chosen; the two on the right mirror the first two."""

_ROWS: Final = 5
_STONES: Final = 8
"""Of the 15 cells: never an empty picture, never a full one."""

_ACCENTS: Final = 2
_CELL: Final = 10

_MARGIN: Final = 15
"""A round frame cuts nothing off: the field's corners are 35.4 units from the middle, of 40."""

# Outlines from the upper left corner of a cell: a disc, and a leaf that leans either way.
_DISC: Final = "m0 5a5 5 0 0 1 10 0a5 5 0 0 1-10 0z"
_LEAF: Final = "h5a5 5 0 0 1 5 5v5h-5a5 5 0 0 1-5-5z"
_LEAF_MIRRORED: Final = "m10 0v5a5 5 0 0 1-5 5h-5v-5a5 5 0 0 1 5-5z"


def draw(seed: str) -> str:
    """Return an SVG of 80 by 80 units for `seed`, at most 1.5 KB, without size, style or script.

    Discs and leaves in a field of 5 by 5, left and right alike, as faces and flowers are. The
    ground is of middle lightness and they are nearly white: it stands out on light and dark pages.
    """
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    hue = int.from_bytes(digest[:2], "big") / 65_536
    order = sorted(range(_COLUMNS * _ROWS), key=lambda cell: digest[2 + cell])
    leaves = int.from_bytes(digest[17:19], "big")
    stones = "".join(_outlines(order[_ACCENTS:_STONES], leaves))
    accents = "".join(_outlines(order[:_ACCENTS], leaves))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80">'
        f'<path fill="{_colour(hue, 0.41, 0.5)}" d="M0 0h80v80H0z"/>'
        f'<path fill="{_colour(hue, 0.94, 0.8)}" d="{stones}"/>'
        f'<path fill="{_colour(hue + 0.12, 0.78, 0.9)}" d="{accents}"/></svg>'
    )


def _outlines(cells: list[int], leaves: int) -> Iterator[str]:
    """Draw each cell, and its mirror image where it is not in the middle column.

    The bit of `leaves` at a cell's number says whether it is a leaf.
    """
    for cell in cells:
        column, row = cell % _COLUMNS, cell // _COLUMNS
        is_leaf = leaves >> cell & 1
        yield _at(column, row, _LEAF if is_leaf else _DISC)
        if column < _COLUMNS - 1:
            yield _at(4 - column, row, _LEAF_MIRRORED if is_leaf else _DISC)


def _at(column: int, row: int, outline: str) -> str:
    return f"M{_MARGIN + column * _CELL} {_MARGIN + row * _CELL}{outline}"


def _colour(hue: float, lightness: float, saturation: float) -> str:
    """Write a colour as mail programs and old browsers read it too: #rrggbb. `hue` is in turns."""
    channels = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
