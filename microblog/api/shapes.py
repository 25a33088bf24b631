"""What values look like that programs write, for the OpenAPI document: the fields of the calls'
models have these as their `json_schema_extra`.

They are told, not checked here: the handlers check, and say what is wrong in sentences.
"""

from typing import Final

from pydantic.config import JsonDict

from microblog.core import names, notices, passwords, questions, search_query

_KIND: Final = "|".join(notices.KINDS)
_TOPIC: Final = "(home|explore|questions|(user|post):[0-9]{1,19}|tag:[^,]+)?"
_LANGUAGE: Final = "[A-Za-z]{2,3}([-_].*)?"

ID: Final[JsonDict] = {"pattern": "^[0-9]{1,19}$"}
ID_OR_NONE: Final[JsonDict] = {"pattern": "^[0-9]{0,19}$"}
"""As cursors in addresses and `reply_to` are: empty is none."""

IDS: Final[JsonDict] = {"items": {"type": "string", "pattern": "^[0-9]{1,19}$"}}
PLACE: Final[JsonDict] = {"pattern": r"^([0-9]{1,19}(\.[0-9]{1,4}\.[0-9]{1,19})?)?$"}
PERSON: Final[JsonDict] = {"pattern": f"^({names.USERNAME_PATTERN}|[0-9]{{1,19}})$"}
TAG: Final[JsonDict] = {"pattern": "^[#＃]?[^#＃/]+$"}
USERNAME: Final[JsonDict] = {"pattern": f"^{names.USERNAME_PATTERN}$"}
EMAIL: Final[JsonDict] = {"format": "email", "minLength": 5, "maxLength": names.LONGEST_EMAIL}
PASSWORD: Final[JsonDict] = {"minLength": passwords.SHORTEST, "maxLength": passwords.MAX_BYTES}
TEXT: Final[JsonDict] = {"minLength": 1, "pattern": r"\S"}
"""What says something: there is more in it than space."""

TITLE: Final[JsonDict] = {"minLength": questions.SHORTEST_TITLE, "pattern": r"\S"}
LANGUAGE: Final[JsonDict] = {"pattern": f"^{_LANGUAGE}$"}
LANGUAGE_OR_NONE: Final[JsonDict] = {"pattern": f"^({_LANGUAGE})?$"}
QUERY: Final[JsonDict] = {
    "minLength": 1,
    "maxLength": search_query.LONGEST_QUERY,
    "pattern": r"\S",
    "examples": ["rain -snow"],
}
KINDS: Final[JsonDict] = {"pattern": f"^(({_KIND})(,({_KIND}))*)?$"}
TOPICS: Final[JsonDict] = {"pattern": f"^{_TOPIC}(,{_TOPIC})*$"}
KEY: Final[JsonDict] = {"pattern": "^[!-~]([ -~]{0,198}[!-~])?$"}
"""An idempotency key; space around it is none of a header's value (RFC 9110, 5.5)."""
CONTEXT: Final[JsonDict] = {"pattern": "^[a-z]{1,16}(:[a-z0-9_]{1,20})?$"}
"""Which form a draft is of."""
