"""How the parts of the OpenAPI document are put, where quart-schema has them otherwise; and what it
says of a call in sentences: what it does, whom it serves, and how often.
"""

from collections.abc import Mapping
from typing import Any

from microblog.api import expectations


def description(operation: Mapping[str, Any], limit: str | None) -> str:
    """Return the words of the handler, and behind them whom it serves and what limits it."""
    often = "It has no limit of its own." if limit is None else f"Limited: {limit}."
    beside = f"{_whom(operation['security'])} {often}"
    return "\n\n".join(filter(None, (operation["description"].strip(), beside)))


def _whom(security: list[dict[str, Any]]) -> str:
    if any("basic" in way for way in security):
        return "Needs a username or an e-mail address, and the password of the account."
    if {} in security:
        return "Needs no access token, unless only members may read here."
    return "Needs an access token." if security else "Needs no access token."


def plain(parameter: dict[str, Any]) -> dict[str, Any]:
    """Say of an optional parameter what it is when it is there: none can be sent as null."""
    kind = dict(parameter["schema"])
    kind.pop("default", None)
    for example in kind.pop("examples", ()):
        parameter = parameter | {"example": example}
    for choice in kind.pop("anyOf", ()):
        if choice != {"type": "null"}:
            kind |= choice
    return parameter | {"schema": kind}


def give_example(content: dict[str, Any]) -> None:
    """Let a body have the example of its model."""
    (content["example"],) = content["schema"].pop("examples")


def add_kinds(operation: dict[str, Any], handler: Any, status: int) -> None:
    """Tell of the forms of an answer that no model describes: a stream, or a file."""
    for answer in operation["responses"].values():
        answer["content"] |= getattr(handler, "streams", {})
    for kind in expectations.kinds(handler):
        if status not in operation["responses"]:
            file = {"schema": {"type": "string", "format": "binary"}}
            operation["responses"][status] = {"content": {kind: file}}


def leave_out_defaults(schema: dict[str, Any]) -> None:
    """Tell of no values for what is not sent: that is no other value, but nothing."""
    for field in schema["properties"].values():
        field.pop("default", None)
