"""Domain errors and the sentences they carry."""

import pytest

from microblog.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Message,
    MicroblogError,
    NotFound,
    NotSignedIn,
    SettingError,
    TooManyTries,
    Unavailable,
    message,
)


def test_message_reads_in_english() -> None:
    assert str(message("%(count)s of %(limit)s", count=3, limit=5)) == "3 of 5"


def test_message_fills_its_values_into_a_translation() -> None:
    assert message("%(count)s too many", count=3).fill("%(count)s자 초과") == "3자 초과"


def test_message_without_values_may_hold_a_percent_sign() -> None:
    assert str(message("100% sure")) == "100% sure"


def test_messages_with_the_same_text_and_values_are_equal_and_hashable() -> None:
    assert {message("a %(b)s", b=[1]), message("a %(b)s", b=[1])} == {
        Message("a %(b)s", {"b": [1]})
    }


def test_message_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        message("a").text = "b"  # type: ignore[misc]


@pytest.mark.parametrize("kind", [NotFound, Forbidden, NotSignedIn, Conflict])
def test_error_tells_its_reason(kind: type[MicroblogError]) -> None:
    error = kind(message("This name is taken."))

    assert error.reason == message("This name is taken.")
    assert str(error) == "This name is taken."


def test_error_needs_no_reason() -> None:
    assert str(NotFound()) == ""
    assert NotFound().reason is None


def test_invalid_names_every_field_and_sentence() -> None:
    error = Invalid({"post": [message("Too long."), message("Too odd.")], "name": [message("No.")]})

    assert str(error) == "post: Too long.; post: Too odd.; name: No."


@pytest.mark.parametrize("kind", [TooManyTries, Unavailable])
def test_passing_error_says_when_to_come_back(
    kind: type[TooManyTries] | type[Unavailable],
) -> None:
    assert kind(retry_after_seconds=7).retry_after_seconds == 7


def test_setting_error_is_one_sentence_for_the_owner() -> None:
    assert str(SettingError("PORT is 0 to 65535")) == "PORT is 0 to 65535"


@pytest.mark.parametrize(
    "error", [NotFound(), Invalid({}), TooManyTries(1), Unavailable(1), SettingError("no")]
)
def test_one_except_clause_catches_them_all(error: Exception) -> None:
    with pytest.raises(MicroblogError):
        raise error
