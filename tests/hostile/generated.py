"""Requests made out of the API's own document, good and bad ones, by schemathesis; for S1."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import httpx
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import ScenarioRecorder

from tests.hostile.furnished import PASSWORD, Place

PATIENCE_SECONDS = 60.0
PHASES = ("examples", "coverage", "fuzzing", "stateful")
ACCEPTED = ["2xx", "401", "403", "404", "409", "412", "428"]
"""What may become of a good request: it is carried out, or something there is in its way."""

REFUSED = [str(status) for status in (400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429)]
"""What becomes of a bad one; what is looked at before its fields may refuse it too."""

SHARE = 0.5
"""How often a value of the place is taken where any other would do."""

MADE_LATER = "GET /api/exports/{export_id}/file"  # after the export was asked for
LIMITED = {"/api/me/avatar", "/api/drafts/{context}", "/api/messages"}
"""What is limited for each person, whatever the settings say."""

REVOKING = ("/api/tokens", "/api/me", "/api/users/")
"""After what is done here, tokens may be no good."""

_LENGTH = (
    r"This is too long by \d+: \d+ characters at most\.|This is far too long: \d+ bytes at most\."
    r"|Too many signs are stacked on one character\.|Write something first\."
)
_PASSWORD = (
    r"This password is too common\.|Use \d+ bytes at most\.|Use 8 characters or more\."
    r"|Use something other than your name or address\.|That is not your password\."
)
_LANGUAGE = r"This language is not known here\..*"
_CURSOR = r"A cursor is the number that a page's links carry\."
BEYOND_A_SCHEMA = {
    # What one value has to do with another.
    "per_page": r"This and “limit” are the same: send one of them\.",
    "tag": r"Ask for a tag or for a state, not for both\.",
    "idempotency_key": r"This idempotency key was used for another request\.",
    # What is there already, or is not.
    "username": r"This username is taken\..*|This name is reserved\.",
    "reply_to": r"The post that you answer is gone\.",
    "old_password": _PASSWORD,
    # Bytes, and characters as people see them.
    "body": _LENGTH,
    "title": _LENGTH + r"|This is too short: a title has at least 5 characters\.",
    "display_name": _LENGTH,
    "about_me": _LENGTH,
    "reason": _LENGTH + r"|Say why: the person will read it\.",
    "password": _PASSWORD,
    "new_password": _PASSWORD,
    # Languages of their own.
    "q": r"“\w+:” (needs|knows) .*|“.*” is no date\..*|Nothing of this can be found\..*"
    r"|These are too many parts: \d+ at most\.",
    "tags": r"“.*” is no hashtag: .*|These are too many: 5 tags at most\.",
    "topics": r"There is no such topic, or these are too many\.",
    "language": _LANGUAGE,
    "to": _LANGUAGE + r"|The post is in this language already\.|There is nothing in it to .*",
    "email": r"This is not an e-mail address\.",  # quoted names and numbers for domains are
    # Numbers of as many digits as the greatest, and greater.
    "before": _CURSOR,
    "after": _CURSOR,
    "ids": r"This is not an id\.",
    "post": r"This is not an id\.",
    # Pictures.
    "avatar": r".*",
}
"""Why a request may be refused that is as the document asks for: rules that no schema can say."""

NO_GOOD = "This token is no longer good. Ask for another."


@dataclass
class Tried:
    """How many requests were made, and what was wrong with the answers."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


class Door:
    """Lets the people of one role in: the first of them, and the others in turn."""

    def __init__(self, url: str, people: list[str]) -> None:
        self._url = url
        self._tokens: dict[str, str] = {}
        self._first, self._next = people[0], cycle(people)

    def proof(self, case: Any) -> str:
        """Return what a request shows."""
        name = next(self._next) if case.operation.path in LIMITED else self._first
        if {"basic": []} in case.operation.definition.raw["security"]:
            return _basic(name)
        if name not in self._tokens:
            proof = {"Authorization": _basic(name)}
            answer = httpx.post(f"{self._url}/api/tokens", headers=proof, timeout=PATIENCE_SECONDS)
            self._tokens[name] = answer.raise_for_status().json()["access_token"]
        return f"Bearer {self._tokens[name]}"

    def forget(self) -> None:
        """Forget the tokens: some were revoked."""
        self._tokens.clear()


def _basic(name: str) -> str:
    return str(httpx.BasicAuth(name, PASSWORD)._auth_header)


@dataclass(frozen=True)
class Trial:
    """Who makes which requests: all of one phase, or a share of them.

    `examples` are made of each call where they are random. Of `share` calls one is tried, and of
    its cases one of `cases`; `turn` says with which one begins.
    """

    role: str
    phase: str
    examples: int = 1
    share: int = 1
    cases: int = 1
    turn: int = 0


def try_out(url: str, place: Place, trial: Trial) -> Tried:
    """Make the requests, and judge each answer."""
    document = httpx.get(f"{url}/api/openapi.json", timeout=PATIENCE_SECONDS).json()
    for parameter in _parameters(document):
        if parameter["name"] in place.known:  # where the document has one that leads nowhere here
            parameter["example"] = place.known[parameter["name"]][0]
    loaded = schemathesis.openapi.from_dict(document, config=_config(url, place, trial))
    schema = loaded.include(name=_names(document)[trial.turn % trial.share :: trial.share])
    _choose(schema, trial)
    if trial.role in place.people:
        _let_in(schema, Door(url, place.people[trial.role]))
    found = Tried()
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            found.faults.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, FatalError):
            found.faults.append(repr(event.exception))
        elif isinstance(event, ScenarioFinished):
            _judge(event.recorder, found)
    return found


def _names(document: dict[str, Any]) -> list[str]:
    paths = document["paths"].items()
    return [f"{method.upper()} {path}" for path, item in paths for method in item]


def _parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        for operation in path.values():
            yield from operation["parameters"]


def _config(url: str, place: Place, trial: Trial) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "base-url": url,
            "seed": 1,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "request-timeout": PATIENCE_SECONDS,
            "dictionaries": {name: {"values": values} for name, values in place.known.items()},
            "parameters": _places(place),
            "phases": {name: {"enabled": name == trial.phase} for name in PHASES},
            "generation": {
                "max-examples": trial.examples,
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
            },
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ACCEPTED},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
        }
    )


def _places(place: Place) -> dict[str, Any]:
    """Return where the values of the place belong: in paths, and in the fields of bodies."""
    in_bodies = {"refresh_token", "reply_to", "answer_id"}
    return {
        f"{'body' if name in in_bodies else 'path'}.{name}": {
            "dictionary": name,
            "probability": SHARE,
        }
        for name in place.known
    }


def _choose(schema: Any, trial: Trial) -> None:
    """Take one case of so many."""
    number = count(trial.turn)

    def filter_case(_context: Any, _case: Any) -> bool:
        return next(number) % trial.cases == 0

    schema.hook(filter_case)


def _let_in(schema: Any, door: Door) -> None:
    """Send each request with somebody's proof."""

    class Proof:
        def get(self, case: Any, _context: Any) -> str:
            return door.proof(case)

        def set(self, case: Any, proof: str, _context: Any) -> None:
            case.headers["Authorization"] = proof

    def after_call(_context: Any, case: Any, response: Any) -> None:
        is_carried_out = case.method != "GET" and response.status_code < 300
        if is_carried_out and case.operation.path.startswith(REVOKING):
            door.forget()

    schema.auth(refresh_interval=None)(Proof)
    schema.hook(after_call)


def _judge(recorder: ScenarioRecorder, found: Tried) -> None:
    for one, interaction in recorder.interactions.items():
        found.cases += 1
        case, answer = recorder.cases[one].value, interaction.response
        where = f"{case.method} {case.operation.path}"
        if answer is None:
            found.faults.append(f"{where}: no answer to {interaction.request.uri}")
            continue
        found.statuses[answer.status_code] += 1
        if answer.status_code < 300:
            found.done.add(where)
        said = answer.content.decode("utf-8", "replace")  # a file is no text
        told = f"{case.as_curl_command()}\n{answer.status_code} {said}"
        listed = case.operation.definition.raw["responses"]
        is_ours = case.method.upper() == case.operation.method.upper()
        if is_ours and str(answer.status_code) not in listed:  # `default` does not count
            found.faults.append(f"{where}: a status that is not documented\n{told}")
        for check in recorder.checks.get(one, ()):
            if check.status is Status.FAILURE and not _is_excused(check, answer, where):
                why = check.failure_info.failure.message
                found.faults.append(f"{where}: {check.name}: {why}\n{told}")


def _is_excused(check: Any, answer: Any, where: str) -> bool:
    """Whether a good request was refused for what no schema can say."""
    if check.name == "ensure_resource_availability":
        return where == MADE_LATER
    if check.name != "positive_data_acceptance":
        return False
    problem = answer.json()
    errors = problem.get("errors", {})
    if not errors:
        return problem["detail"] == NO_GOOD
    return all(
        re.fullmatch(BEYOND_A_SCHEMA.get(name, "(?!)"), sentence, re.DOTALL)
        for name, sentences in errors.items()
        for sentence in sentences
    )
