"""What can go wrong in the domain, said without HTTP.

Every layer raises these; `edge/errors.py` alone knows which status and which page each becomes.
Sentences meant for people are `Message`s: the English text is the key of the catalogue, and the
edge looks up the reader's language when it answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Message:
    """Hold a sentence for a person, still to be translated.

    `text` is English with `%(name)s` places and the key of the catalogue; `values` fill the places.
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def fill(self, translated: str) -> str:
        """Put the values into `translated`, which is `text` or a catalogue's answer to it."""
        # Without values the text is taken as it is, so that a bare "100%" needs no doubled sign.
        return translated % self.values if self.values else translated

    def __str__(self) -> str:
        return self.fill(self.text)


def message(text: str, **values: object) -> Message:
    """Mark an English sentence for translation: pybabel extracts the calls of this very name."""
    return Message(text, values)


class MicroblogError(Exception):
    """Be caught wherever any of the domain's own errors will do."""

    def __init__(self, reason: Message | None = None) -> None:
        super().__init__(*([reason] if reason else []))
        self.reason = reason


class NotFound(MicroblogError):
    """Say that there is no such thing, or none that this viewer may know of."""


class Forbidden(MicroblogError):
    """Say that this person, though known, may not do this."""


class NotSignedIn(MicroblogError):
    """Say that this needs somebody signed in."""


class Conflict(MicroblogError):
    """Say that this clashes with what is already there: a taken name, a reused key."""


class Changed(MicroblogError):
    """Say that this is no longer what it was when this person read it."""


class Invalid(MicroblogError):
    """Say what is wrong with the input, field by field: the form's or the payload's own names."""

    def __init__(self, errors: Mapping[str, list[Message]]) -> None:
        super().__init__()
        self.errors = errors

    def __str__(self) -> str:
        return "; ".join(
            f"{name}: {one}" for name, messages in self.errors.items() for one in messages
        )


class TooManyTries(MicroblogError):
    """Say that a limit is reached, and after how many seconds another try is welcome.

    `limit` says how many there may be at once, where that may be told.
    """

    def __init__(self, retry_after_seconds: int, limit: int | None = None) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit


class Unavailable(MicroblogError):
    """Say that something needed is out of reach just now; the seconds are a fair guess."""

    def __init__(self, retry_after_seconds: int, reason: Message | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class ServiceFailed(MicroblogError):
    """Say that a service of others refused us, or answered what nobody can use."""


class SettingError(MicroblogError):
    """Tell the owner, in one English sentence that names the setting, why we cannot start."""

    def __init__(self, sentence: str) -> None:
        super().__init__(Message(sentence))
