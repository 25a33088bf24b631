"""What is wrong with a payload, field by field, in sentences for people. `errors` shows them."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from pydantic import ValidationError

from microblog.core.errors import Message, message

MOST_FIELDS = 50
LONGEST_NAME = 100

_SENTENCES = {
    "missing": message("This is missing."),
    "extra_forbidden": message("There is no such field."),
    "string_type": message("This must be text."),
    "string_unicode": message("This holds a broken character."),
    "int_type": message("This must be a whole number."),
    "int_parsing": message("This must be a whole number."),
    "int_parsing_size": message("This must be a whole number."),
    "int_from_float": message("This must be a whole number."),
    "bool_type": message("This must be true or false."),
    "bool_parsing": message("This must be true or false."),
    "list_type": message("This must be a list."),
    "model_type": message("This must be an object."),
    "dict_type": message("This must be an object."),
}
_UNKNOWN = message("This is not right.")


def flaws(error: ValidationError) -> dict[str, list[Message]]:
    """Return what is wrong with each field, at most `MOST_FIELDS` of them.

    The whole payload is called "body", and so is a field whose name cannot be written.
    """
    found: dict[str, list[Message]] = {}
    for one in error.errors(include_url=False, include_input=False):
        place = ".".join(_written(part) for part in one["loc"]) or "body"
        if place in found or len(found) < MOST_FIELDS:
            found.setdefault(place, []).append(_sentence(one["type"], one.get("ctx", {})))
    return found


def unknown(names: Iterable[str]) -> dict[str, list[Message]]:
    """Say of names that there is nothing called so."""
    return about(names, _SENTENCES["extra_forbidden"])


def about(names: Iterable[str], told: Message) -> dict[str, list[Message]]:
    """Say the same of several names, at most `MOST_FIELDS` of them."""
    return {_written(name): [told] for name in islice(names, MOST_FIELDS)}


def _written(part: str | int) -> str:
    return str(part).encode("utf-8", "replace").decode()[:LONGEST_NAME]


def _sentence(kind: str, given: dict[str, Any]) -> Message:
    if kind == "greater_than_equal":
        return message("This must be %(limit)s or more.", limit=given["ge"])
    if kind == "less_than_equal":
        return message("This must be %(limit)s or less.", limit=given["le"])
    return _SENTENCES.get(kind, _UNKNOWN)
