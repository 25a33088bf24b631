"""Which passwords are taken, and what a stored hash tells apart (made at bcrypt's least cost)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import passwords
from microblog.core.errors import Invalid

CHEAP = 4


def complaint(password: str, *, username: str = "", email: str = "", site: str = "") -> str:
    with pytest.raises(Invalid) as caught:
        passwords.check(password, username=username, email=email, site=site)
    (sentence,) = caught.value.errors["password"]
    return str(sentence)


@pytest.mark.S16
@pytest.mark.parametrize(
    "password",
    ["tr0ubad0ur", "한" * 64, "a" * 72, "a" * 73, "x" * 1_024, "한" * 341, "a\0bcdefg", "🦊" * 8],
)
def test_password_at_the_limits_is_taken_and_verified(password: str) -> None:
    passwords.check(password)
    hashed = passwords.hash_password(password, CHEAP)

    assert passwords.verify(password, hashed)
    assert not passwords.verify(password[:-1], hashed)
    assert not passwords.verify(password[:-1] + "y", hashed)


@pytest.mark.S16
@pytest.mark.parametrize("password", ["x" * 1_025, "한" * 342, "x" * 10_000_000])
def test_password_over_1024_bytes_is_refused(password: str) -> None:
    assert complaint(password) == "Use 1024 bytes at most."
    assert not passwords.verify(password, passwords.dummy_hash(CHEAP))


@pytest.mark.S16
def test_what_follows_a_nul_matters() -> None:
    assert not passwords.verify("a\0bcdefh", passwords.hash_password("a\0bcdefg", CHEAP))


@pytest.mark.S16
@pytest.mark.parametrize(
    "password", ["", "short", "seven77", "한글한글한글한", "é" * 7, "e\u0301" * 7]
)
def test_password_under_8_characters_is_refused(password: str) -> None:
    assert complaint(password) == "Use 8 characters or more."


@pytest.mark.S16
def test_half_of_a_surrogate_pair_is_refused_and_never_right() -> None:
    assert complaint("abcdefgh\ud800") == "This holds a broken character."
    assert not passwords.verify("abcdefgh\ud800", passwords.dummy_hash(CHEAP))
    with pytest.raises(ValueError, match="surrogates"):
        passwords.hash_password("abcdefgh\ud800", CHEAP)


@pytest.mark.parametrize(
    "password",
    ["12345678", "PASSWORD", "iLoveYou1", "qwertyuiop", "dkssudgktpdy", "qwer1234", "00000000"],
)
def test_common_password_is_refused_in_any_case(password: str) -> None:
    assert complaint(password) == "This password is too common."


def test_common_passwords_are_a_list_worth_having() -> None:
    assert len(passwords.common()) > 1_000
    assert min(map(len, passwords.common())) >= passwords.SHORTEST
    assert not [word for word in passwords.common() if word != word.casefold()]


@pytest.mark.parametrize(
    "password", ["Mina_the_great", "kim.mina@example.com", "KIM.MINA", "Our little place"]
)
def test_password_that_is_ones_own_name_is_refused(password: str) -> None:
    sentence = complaint(
        password, username="mina_the_great", email="kim.mina@example.com", site="our little place"
    )

    assert sentence == "Use something other than your name or address."


def test_longer_sentence_may_hold_ones_name() -> None:
    passwords.check("mina_the_great has a dog", username="mina_the_great")


def test_hangul_typed_in_pieces_is_the_same_password() -> None:
    whole = "비밀스러운문장"
    pieces = unicodedata.normalize("NFD", whole)

    assert whole != pieces
    assert passwords.verify(pieces, passwords.hash_password(whole, CHEAP))


def test_same_password_is_stored_differently_each_time() -> None:
    first, second = (passwords.hash_password("tr0ubad0ur", CHEAP) for _ in range(2))

    assert first != second
    assert first.startswith("$2b$04$")


def test_full_width_letters_are_another_password() -> None:
    assert not passwords.verify("ｔｒ０ｕｂａｄ", passwords.hash_password("tr0ubad", CHEAP))


@pytest.mark.S16
@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "plain",
        "$2b$12$short",
        "$2b$31$" + "a" * 53,
        "$2b$99$" + "a" * 53,
        "$2b$04$" + "a" * 52 + "\n",
        "$2b$04$" + "한" * 53,
        "$2b$04$" + "\0" * 53,
        "$2b$04$" + "9" * 53,
        "$2b$04$" + "." * 53,
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$hash",
        "\ud800",
    ],
)
def test_hash_of_another_kind_is_wrong_and_breaks_nothing(hashed: str) -> None:
    assert not passwords.verify("tr0ubad0ur", hashed)


@pytest.mark.S16
@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=70))
def test_verify_never_raises(password: str, hashed: str) -> None:
    assert not passwords.verify(password, hashed)
    assert not passwords.verify(password, "$2b$04$" + hashed)


def test_dummy_hash_costs_as_much_as_a_real_one_and_is_made_once() -> None:
    assert passwords.dummy_hash(CHEAP).startswith("$2b$04$")
    assert passwords.dummy_hash(CHEAP) is passwords.dummy_hash(CHEAP)
