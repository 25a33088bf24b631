"""What people may call themselves."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import names
from microblog.core.errors import Invalid


def username_complaint(name: str) -> str:
    with pytest.raises(Invalid) as caught:
        names.check_username(name)
    (sentence,) = caught.value.errors["username"]
    return str(sentence)


# --- usernames


@pytest.mark.parametrize(
    "name", ["abc", "Mina", "m_1", "a" * 30, "x__", "Z99", "administer", "liver"]
)
def test_username_of_letters_digits_and_underscores_is_taken(name: str) -> None:
    names.check_username(name)


@pytest.mark.parametrize("name", ["", "ab", "a" * 31, "a" * 10_000_000])
def test_username_of_another_length_is_refused(name: str) -> None:
    assert username_complaint(name) == "Use 3 to 30 characters."


@pytest.mark.parametrize("name", ["1abc", "_abc", "-abc", " abc"])
def test_username_begins_with_a_letter(name: str) -> None:
    assert username_complaint(name) == "Begin with a letter."


@pytest.mark.parametrize("name", ["a b c", "a-bc", "abc.", "abc\n", "abc\0", "a@b.c", "abc/"])
def test_username_with_other_signs_is_refused(name: str) -> None:
    assert username_complaint(name) == "Use letters, digits and _ only."


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("minа", "а"),
        ("аdmin", "а"),
        ("ｍｉｎａ", "ｍ"),
        ("미나", "미"),
        ("mi\u200dna", "U+200D"),
        ("mına", "ı"),
        ("miña", "ñ"),
        ("mina²", "²"),
    ],
)
def test_letter_that_only_looks_latin_is_named(name: str, letter: str) -> None:
    assert username_complaint(name).startswith(f"Use the letters a to z: “{letter}” is not one")


@pytest.mark.parametrize(
    "name",
    """admin ADMIN api live static settings setup auth logout null microblog everyone healthz
    readyz metrics Postmaster edit_profile www""".split(),  # noqa: SIM905 - a list to be read
)
def test_reserved_name_is_refused_in_any_case(name: str) -> None:
    assert username_complaint(name) == "This name is reserved."


@pytest.mark.parametrize(
    "name",
    ["adm1n", "adrnin", "a_d_m_i_n", "Adm1n_", "r00t", "m0derat0r", "supp0rt", "adm1n1strat0r"],
)
def test_official_name_in_disguise_is_refused(name: str) -> None:
    assert username_complaint(name) == "This name is reserved."


def test_reserved_names_are_names_that_somebody_could_ask_for() -> None:
    assert not [name for name in names.RESERVED if name != name.lower() or not name.isascii()]


@given(
    st.from_regex(names.USERNAME_PATTERN, fullmatch=True) | st.text(st.characters(), max_size=40)
)
def test_whatever_is_taken_fits_the_pattern(name: str) -> None:
    try:
        names.check_username(name)
    except Invalid:
        assert not re.fullmatch(names.USERNAME_PATTERN, name) or names.is_reserved(name)
    else:
        assert re.fullmatch(names.USERNAME_PATTERN, name)


# --- e-mail addresses


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("mina@example.com", "mina@example.com"),
        (" Mina.Kim+blog@EXAMPLE.Com ", "Mina.Kim+blog@example.com"),
        ("미나@한국.kr", "미나@한국.kr"),
        ("mina@BÜCHER.example", "mina@bücher.example"),
        ("mina@xn--3e0b707e.xn--3e0b707e", "mina@xn--3e0b707e.xn--3e0b707e"),
        ("o'neil_%!#$@a.b-c.example", "o'neil_%!#$@a.b-c.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("mina@bu\u0308cher.example", "mina@bücher.example"),
    ],
)
def test_email_is_taken_with_its_domain_in_lower_case(typed: str, stored: str) -> None:
    assert names.check_email(typed) == stored


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mina",
        "@example.com",
        "mina@",
        "mina@localhost",
        "mina@@example.com",
        "mi@na@example.com",
        "mi na@example.com",
        "mina@exam ple.com",
        "mina@example.com\nBcc: x@example.com",
        "mina\0@example.com",
        "mina@example..com",
        "mina@.example.com",
        "mina@example.com.",
        "mina@-example.com",
        "mina@example-.com",
        ".mina@example.com",
        "mina.@example.com",
        "mi..na@example.com",
        "mina@example.c_m",
        "mina@127.0.0.1",
        "Mina <mina@example.com>",
        '"mina"@example.com',
        "mina@example.com,jun@example.com",
        "mi\u200bna@example.com",
        "mina\ud800@example.com",
        "mina@" + "a" * 64 + ".example",
        "a" * 65 + "@example.com",
        "한" * 22 + "@example.com",
        "mina@" + "a." * 125 + "com",
        "a" * 10_000_000,
    ],
)
def test_other_text_is_no_email(address: str) -> None:
    with pytest.raises(Invalid) as caught:
        names.check_email(address)
    assert [str(one) for one in caught.value.errors["email"]] == ["This is not an e-mail address."]


@pytest.mark.parametrize("unit", ["a.", "a-", "@", "가.", "-"])
def test_hostile_email_is_refused_at_once(unit: str) -> None:
    before = time.thread_time()
    for address in (unit * 126, "a@" + unit * 126, unit * 60 + "@" + unit * 60):
        with pytest.raises(Invalid):
            names.check_email(address)

    assert time.thread_time() - before < 0.5


# --- display names and the words about oneself


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Mina Kim", "Mina Kim"),
        ("  Mina \t\n  Kim ", "Mina Kim"),
        ("김미나 👩‍💻", "김미나 👩‍💻"),
        ("Mina\u202egnp.exe", "Minagnp.exe"),
        ("\u2066Mina\u2069\0\x1b", "Mina"),
        ("e\u0301", "é"),
        ("", ""),
        ("\u3164\u200b \u2800", ""),
        ("👩‍👩‍👧‍👦" * 50, "👩‍👩‍👧‍👦" * 50),
    ],
)
def test_display_name_is_one_clean_line(typed: str, stored: str) -> None:
    assert names.clean_display_name(typed) == stored


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("한" * 53, "This is too long by 3: 50 characters at most."),
        ("https://example.com/" + "x" * 60, "This is too long by 30: 50 characters at most."),
        ("Z" + "\u0335" * 20, "Too many signs are stacked on one character."),
        ("a" * 10_000_000, "This is far too long: 20000 bytes at most."),
    ],
)
def test_display_name_that_does_not_fit_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        names.clean_display_name(name)
    assert [str(one) for one in caught.value.errors["display_name"]] == [sentence]


def test_about_me_keeps_its_lines() -> None:
    assert names.check_about_me(" 안녕하세요\r\n\r\n저는 미나 \0") == "안녕하세요\n\n저는 미나"
    assert names.check_about_me("\u200b") == ""


def test_about_me_over_500_characters_is_refused() -> None:
    assert names.check_about_me("한" * 500) == "한" * 500
    with pytest.raises(Invalid) as caught:
        names.check_about_me("한" * 501)
    assert list(caught.value.errors) == ["about_me"]
