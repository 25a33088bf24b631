"""Pictures drawn from a name."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import identicons

SVG = "{http://www.w3.org/2000/svg}"
COLOUR = re.compile(r"#[0-9a-f]{6}")


def test_same_seed_gives_the_same_picture_for_ever() -> None:
    assert identicons.draw("mina") == identicons.draw("mina")
    assert 'fill="#34599d"' in identicons.draw("mina")


def test_ten_thousand_people_get_as_many_pictures() -> None:
    assert len({identicons.draw(f"person{number}") for number in range(10_000)}) == 10_000


@given(st.text(st.characters(), max_size=100))
def test_picture_is_a_small_svg_without_script_style_or_size(seed: str) -> None:
    picture = identicons.draw(seed)
    root = ElementTree.fromstring(picture)

    assert len(picture.encode()) <= 1_500
    assert root.tag == f"{SVG}svg"
    assert root.attrib == {"viewBox": "0 0 80 80"}
    for shape in root:
        assert shape.tag == f"{SVG}path"
        assert shape.keys() == ["fill", "d"]
        assert COLOUR.fullmatch(shape.attrib["fill"])


@pytest.mark.parametrize("seed", ["mina", "jun", "한글", ""])
def test_picture_is_alike_on_the_left_and_on_the_right(seed: str) -> None:
    corners = {(int(x), int(y)) for x, y in re.findall(r"M([1-9]\d*) (\d+)", identicons.draw(seed))}

    assert corners
    assert {(80 - 10 - x, y) for x, y in corners} == corners


@pytest.mark.parametrize("seed", [f"person{number}" for number in range(50)])
def test_ground_stands_out_from_white_and_black_and_from_what_lies_on_it(seed: str) -> None:
    ground, stones, _ = (_luminance(one) for one in COLOUR.findall(identicons.draw(seed)))

    for darker, lighter in pairwise((0.0, ground, stones)):
        assert (lighter + 0.05) / (darker + 0.05) > 2
    assert 1.05 / (ground + 0.05) > 2


def _luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
