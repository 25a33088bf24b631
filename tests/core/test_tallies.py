"""Rows counted and summed up: the same in every order, another where a row differs."""

import re
from datetime import UTC, datetime

from microblog.core.tallies import Tally


def tally(*rows: tuple[object, ...]) -> Tally:
    made = Tally()
    for row in rows:
        made.add(row)
    return made


def test_tally_is_the_same_in_every_order_and_zone_and_differs_where_a_row_does() -> None:
    seoul = datetime.fromisoformat("2026-01-01T09:00:00.000001+09:00")
    one, two = (1, seoul, {"a": 1, "b": 2}, b"x"), (2, None, {}, b"")
    same = (1, seoul.astimezone(UTC), {"b": 2, "a": 1}, bytearray(b"x"))
    assert tally(one, two) == tally(two, same)
    assert tally(one, two).checksum == tally(two, one).checksum
    others = [tally(one), tally(one, one), tally(one, two, two), tally(one, (2, None, {}, b"0"))]
    assert len({other.checksum for other in [*others, tally(one, two)]}) == 5
    assert re.fullmatch("[0-9a-f]{32}", tally(two).checksum)
