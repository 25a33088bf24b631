"""What the OpenAPI document says of a call in sentences: what it does, who may, and how often."""

from collections.abc import Mapping
from typing import Any


def description(operation: Mapping[str, Any], limit: str | None) -> str:
    """Return the words of the handler, and behind them whom it serves and what limits it."""
    often = "It has no limit of its own." if limit is None else f"Limited: {limit}."
    beside = f"{_whom(operation['security'])} {often}"
    return "\n\n".join(filter(None, (operation["description"].strip(), beside)))


def _whom(security: list[dict[str, Any]]) -> str:
    if {"basic": []} in security:
        return "Needs a username or an e-mail address, and the password of the account."
    if {} in security:
        return "Needs no access token, unless only members may read here."
    return "Needs an access token." if security else "Needs no access token."
