"""What is wrong with a payload, field by field, in sentences for people. `errors` shows them."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from pydantic import AfterValidator, ValidationError
from pydantic_core import PydanticCustomError

from microblog.core.errors import Invalid, Message, message

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
_DOMAIN = "domain"
_UNKNOWN = message("This is not right.")


def flaws(error: ValidationError) -> dict[str, list[Message]]:
    """Return what is wrong with each field, at most `MOST_FIELDS` of them.

    The whole payload is called "body", and so is a field whose name cannot be written.
    """
    found: dict[str, list[Message]] = {}
    for one in error.errors(include_url=False, include_input=False):
        place = ".".join(_written(part) for part in one["loc"]) or "body"
        if place in found or len(found) < MOST_FIELDS:
            found.setdefault(place, []).extend(_sentences(one["type"], one.get("ctx", {})))
    return found


def checked(check: Callable[[Any], object]) -> AfterValidator:
    """Let what the domain says of a field be told with all that is wrong with the others."""

    def judge(value: Any) -> Any:
        try:
            check(value)
        except Invalid as invalid:
            told = [one for found in invalid.errors.values() for one in found]
            raise PydanticCustomError(_DOMAIN, "not right", {"told": told}) from None
        return value

    return AfterValidator(judge)


def unknown(names: Iterable[str]) -> dict[str, list[Message]]:
    """Say of names that there is nothing called so."""
    return about(names, _SENTENCES["extra_forbidden"])


def about(names: Iterable[str], told: Message) -> dict[str, list[Message]]:
    """Say the same of several names, at most `MOST_FIELDS` of them."""
    return {_written(name): [told] for name in islice(names, MOST_FIELDS)}


def _written(part: str | int) -> str:
    return str(part).encode("utf-8", "replace").decode()[:LONGEST_NAME]


def _sentences(kind: str, given: dict[str, Any]) -> list[Message]:
    told: list[Message] = given["told"] if kind == _DOMAIN else [_sentence(kind, given)]
    return told


def _sentence(kind: str, given: dict[str, Any]) -> Message:
    if kind == "greater_than_equal":
        return message("This must be %(limit)s or more.", limit=given["ge"])
    if kind == "less_than_equal":
        return message("This must be %(limit)s or less.", limit=given["le"])
    return _SENTENCES.get(kind, _UNKNOWN)
