"""A post's language: what its letters say, what its words say, and when nothing is said at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import languages, verbatim
from microblog.core.guessing import LONGEST_LOOK, Guesser, open_guesser

BY_SCRIPT = {
    "ko": [
        "안녕하세요",
        "ㅋㅋㅋ",
        "Python 3.13이 나왔어요",
        "@mina 님, https://a.example/long 봐요",
    ],
    "ja": ["おはようございます", "東京へ行きます", "カフェ"],
    "zh": ["今天天气很好", "東京都庁舎"],
    "el": ["Καλημέρα σε όλους"],
    "he": ["שלום"],
    "th": ["สวัสดี"],
    "hy": ["Բարև"],
    "ka": ["გამარჯობა"],
}
BY_WORDS = {
    "en": ["See you tomorrow at the library", "TIL that SQLite can do this", "The last one"],
    "de": ["Das Wetter ist heute schön", "Kommt jemand mit ins Kino?"],
    "fr": ["Bonjour tout le monde, il fait beau"],
    "es": ["Hoy hace buen tiempo", "¿Dónde están todos?"],
    "pt": ["Não é verdade", "Até amanhã na biblioteca"],
    "it": ["Non è vero"],
    "nl": ["Het is mooi weer vandaag"],
    "sv": ["Jag är trött, vi ses imorgon"],
    "nb": ["Jeg vet ikke hva jeg skal gjøre i morgen"],
    "pl": ["Dzień dobry wszystkim"],
    "tr": ["Yarın kütüphanede görüşürüz"],
    "vi": ["Xin chào các bạn"],
    "ru": ["Привет всем, как дела?"],
    "uk": ["Добрий ранок, друзі"],
    "fa": ["صبح بخیر دوستان"],
    "ar": ["مرحبا بالجميع"],
}
SILENT = [
    *("", " ", "😀😀", "12345 !!!", "…"),
    *("hi", "lol", "ok", "hahaha", "gg", "Seoul", "x" * 500, "asdf jkl", "Python 3.13"),
    *("東京", "오늘은 meeting이 cancelled되어서 happy"),
    *(
        "#서울 #맛집",
        "@mina @bora",
        "https://example.org/안녕하세요",
        "`안녕하세요`",
        "```\n한국어\n```",
    ),
]


@pytest.fixture(scope="module")
def guesser() -> Guesser:
    return open_guesser()


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in BY_SCRIPT.items() for text in texts]
)
def test_script_says_the_language_without_any_model(code: str, text: str) -> None:
    assert Guesser().guess(text) == code


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in BY_WORDS.items() for text in texts]
)
def test_words_say_the_language_where_many_share_a_script(
    guesser: Guesser, code: str, text: str
) -> None:
    assert guesser.guess(text) == code
    assert Guesser().guess(text) is None


@pytest.mark.parametrize("text", SILENT)
def test_nothing_is_said_of_what_is_in_no_language_or_in_two(guesser: Guesser, text: str) -> None:
    assert guesser.guess(text) is None


def test_links_mentions_tags_and_code_do_not_count(guesser: Guesser) -> None:
    text = "See you at the library #도서관 @미나 https://example.org/한국어 `변수 = 값`"
    assert guesser.guess(text) == "en"
    assert guesser.guess("도서관에서 봐요 #library https://example.org/a-long-english-path") == "ko"


def test_what_the_author_reads_tips_the_balance_but_decides_nothing(guesser: Guesser) -> None:
    assert guesser.guess("Rain over Seoul") is None
    assert guesser.guess("Rain over Seoul", "en") == "en"
    assert guesser.guess("Das Wetter ist heute schön", "en") == "de"
    assert guesser.guess("안녕하세요", "en") == "ko"
    assert guesser.guess("hi", "en") is None


def test_only_the_beginning_of_a_long_text_is_looked_at(guesser: Guesser) -> None:
    assert guesser.guess("Good morning to everybody here. " * 20 + "한국어" * 1000) == "en"
    assert len("Good morning to everybody here. " * 20) > LONGEST_LOOK


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *(("ko", "ko"), ("KO", "ko"), ("ko-KR", "ko"), (" en_GB ", "en"), ("zh-Hant-TW", "zh")),
        *(("no", "nb"), ("nn-NO", "nb"), ("tl", "fil"), ("iw", "he"), ("in", "id")),
        *(("xx", None), ("", None), ("english", None), ("e", None), ("en\0", None), ("한", None)),
    ],
)
def test_tag_names_one_language_or_none(tag: str, code: str | None) -> None:
    assert languages.known(tag) == code


@given(st.text(st.sampled_from("ab 가나`@#\n:/.한."), max_size=60))
def test_pieces_are_the_text_again(text: str) -> None:
    found = list(verbatim.pieces(text))
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)


def test_what_stays_word_for_word_is_told_from_the_language() -> None:
    text = "보세요 https://a.example/b입니다 @mina가 #서울 `x = 1`\n```py\ncode\n```\n끝"
    kept = [piece.text for piece in verbatim.pieces(text) if piece.kept]
    assert kept == ["https://a.example/b", "@mina", "#서울", "`x = 1`", "```py\ncode\n```"]
