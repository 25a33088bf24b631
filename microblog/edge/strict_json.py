"""JSON as two readers understand it alike (RFC 7493): `edge.request` reads bodies with it.

Python's own reader takes the last of two values of one name, and numbers that are none.
"""

import json
from collections import Counter
from typing import Any, NoReturn

from microblog.core.errors import Invalid, message
from microblog.edge import payloads


def loads(text: str) -> Any:
    """Read a text; raises Invalid for a name that is there twice, ValueError for no JSON."""
    return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = [name for name, times in counted.items() if times > 1]
        raise Invalid(payloads.about(twice, message("This is there twice.")))
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
