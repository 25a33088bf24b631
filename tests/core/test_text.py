"""How a text is cleaned, measured and refused."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import text as texts
from microblog.core.errors import Invalid

FAMILY = "👨‍👩‍👧‍👦"
KISS = "👩🏽‍❤️‍💋‍👨🏿"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


def complaint(text: str) -> str:
    with pytest.raises(Invalid) as caught:
        texts.check(text)
    (sentence,) = caught.value.errors["post"]
    return str(sentence)


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("", 0),
        ("abc", 3),
        ("한글", 2),
        ("e\u0301", 1),
        (FAMILY, 1),
        (KISS, 1),
        (ENGLAND, 1),
        ("🇰🇷🇰🇷", 2),
        ("a\nb", 3),
    ],
)
def test_count_is_of_characters_as_people_see_them(text: str, characters: int) -> None:
    assert texts.count(text) == characters


@pytest.mark.parametrize("address", ["https://a.co", "https://example.com/" + "x" * 1000])
def test_link_counts_23_however_long_it_is(address: str) -> None:
    assert texts.count(f"a {address} b") == 2 + 23 + 2


def test_particle_behind_a_link_counts_by_itself() -> None:
    assert texts.count("https://example.com입니다") == 23 + 3


def test_address_in_code_counts_as_any_other() -> None:
    assert texts.count("`https://example.com/abcdefghij`") == 23 + 2


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\0b\x07c\x7f\x9f", "abc"),
        ("\ud800a\ufffe\ufeff", "a"),
        ("e\u0301", "é"),
        ("\u1112\u1161\u11ab", "한"),
        ("  a  \n  b\t\n", "a\n  b"),
        ("a\n\n\n\n\nb", "a\n\n\nb"),
        ("a\n\n\nb", "a\n\n\nb"),
        ("a\n \n\t\n \n\nb", "a\n\n\nb"),
        ("a\u202egnp.exe\u202c\u2066b\u2069", "agnp.exeb"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (FAMILY, FAMILY),
        ("a\tb", "a\tb"),
    ],
)
def test_clean_leaves_only_what_can_be_shown(typed: str, stored: str) -> None:
    assert texts.clean(typed) == stored


@given(st.text(st.characters(), max_size=200) | st.text("a \n\r\t\u0301\u200d\u202e\u1100\u1161"))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = texts.clean(text)

    assert texts.clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(letter) == "Cs" for letter in once)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=200))
def test_cleaning_loses_no_visible_letter(text: str) -> None:
    assert texts.clean(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "\u200b\u2060", "\u3164", "\u115f\u1160", "\u2800", "\u0301"]
)
def test_post_that_shows_nothing_is_refused(text: str) -> None:
    assert complaint(texts.clean(text)) == "Write something first."


@pytest.mark.parametrize(
    "text", ["a" * 500, "한" * 500, FAMILY * 500, "a" * 476 + " https://example.com/" + "b" * 100]
)
def test_post_of_500_characters_is_taken(text: str) -> None:
    assert texts.count(text) == texts.LONGEST_POST
    texts.check(text)


def test_post_too_long_says_by_how_much() -> None:
    assert complaint("한" * 512) == "This is too long by 12: 500 characters at most."


def test_20_long_links_fit_and_21_do_not() -> None:
    texts.check("\n".join(["https://example.com/" + "x" * 100] * 20))

    assert "too long by" in complaint("\n".join(["https://example.com/" + "x" * 100] * 21))


def test_many_links_cannot_outrun_the_count() -> None:
    assert texts.count("http://a.co " * 1_000) > texts.LONGEST_POST


@pytest.mark.parametrize("text", ["Z" + "\u0335" * 16, "👩" + "\u200d👩" * 20, "\u1100" * 17])
def test_stack_of_signs_on_one_character_is_refused(text: str) -> None:
    assert complaint(f"hi {text}") == "Too many signs are stacked on one character."


def test_character_of_16_code_points_is_taken() -> None:
    texts.check("Z" + "\u0335" * 15)


def test_more_than_20_000_bytes_are_refused() -> None:
    assert complaint("\n".join(["https://example.com/".ljust(2_000, "x")] * 11)) == (
        "This is far too long: 20000 bytes at most."
    )


@pytest.mark.parametrize("unit", ["a", "한", "e\u0301\u0323", "\0", "👩\u200d", "http://a.co "])
def test_ten_megabytes_are_refused_at_once(unit: str) -> None:
    text = unit * (10_000_000 // len(unit.encode()))
    before = time.thread_time()

    assert "far too long" in complaint(texts.clean(text))

    assert time.thread_time() - before < 0.5


@pytest.mark.parametrize("unit", ["\u0301\u0323", "🇰", "👩\u200d", "\n", " ", "\u1100", "http://"])
def test_twenty_kilobytes_of_anything_are_measured_at_once(unit: str) -> None:
    text = "x" + unit * (19_990 // len(unit.encode())) + "x"
    before = time.thread_time()

    texts.count(texts.clean(text))

    assert time.thread_time() - before < 0.5
