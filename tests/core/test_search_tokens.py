"""What a text is found by: each rule that search promises, for any text there is."""

import gc
import sys
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import search_tokens
from microblog.core.search_tokens import LONGEST_TOKEN, Term

HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
KANA = st.sampled_from("ぁあかがさざただっつはばぱんァアカガザダッパンー")
RUN = st.text(st.one_of(HANGUL, HAN, KANA), min_size=1, max_size=12)
WORD = st.text(st.sampled_from("abcxyzéñßжяλ0189"), min_size=1, max_size=8)
SPACED = st.lists(st.one_of(WORD, RUN), min_size=1, max_size=8)
PICTOGRAPHS = st.text(st.sampled_from("👍🏽👩🚀🇰🇷🎉🐳"), min_size=1, max_size=6)
ANYTHING = st.text(max_size=80)
ALLOWED = regex.compile(r"[a-z][a-z0-9_à-öø-ÿα-ωа-яё가-힣ぁ-ゖァ-ヺ一-龥]{2,}")


def finds(looked_for: str, text: str, *, unfinished: bool = False) -> bool:
    term = search_tokens.term(looked_for, unfinished=unfinished)
    assert term is not None, looked_for
    return any(True for _ in search_tokens.found(term, search_tokens.texts(text)))


@pytest.mark.parametrize(
    ("looked_for", "text"),
    [
        ("한글", "한글은 좋다"),
        ("서울", "대한민국서울"),
        ("서", "대한민국서울"),
        ("울", "대한민국서울에서"),
        ("은", "한글은"),
        ("날 좋", "오늘날 좋은 일"),
        ("python", "python으로 씁니다"),
        ("python으로", "Python으로만"),
        ("東京", "大東京タワー"),
        ("タワー", "東京ﾀﾜｰ"),
        ("ガンダム", "ｶﾞﾝﾀﾞﾑ"),
        ("北京", "我在北京大学"),
        ("ㅋㅋ", "ㅋㅋㅋ"),
        ("서울", "#서울_맛집"),
        ("mina", "hello @mina!"),
        ("example.com", "see https://www.example.com/a?b=1"),
        ("https://example.com", "https://example.com/path"),
        ("👍", "good 👍🏽"),
        ("👩", "👩‍🚀"),
        ("🇰🇷", "from 🇰🇷"),
        ("3.14", "pi is 3.14159 or 3.14"),
        ("2026", "in 2026년에"),
        ("ｆｕｌｌ", "full width"),
        ("STRASSE", "straße"),
        ("café", "CAFE\N{COMBINING ACUTE ACCENT}"),
        ("don't", "I don't know"),
        ("c", "C is a letter"),
        ("ภาษา", "ภาษาไทย"),
        ("한", "한\N{ZERO WIDTH SPACE}글"),
    ],
)
def test_text_is_found(looked_for: str, text: str) -> None:
    assert finds(looked_for, text)


@pytest.mark.parametrize(
    ("looked_for", "text"),
    [
        ("한국", "대한민국서울"),
        ("글한", "한글은"),
        ("글날", "한글 날"),
        ("글 날", "한글은 날"),
        ("micro", "microblog"),
        ("blog", "microblog"),
        ("a b", "a c b"),
        ("example.com", "com.example"),
        ("👍", "👎"),
        ("cafe", "café"),
        ("3.14", "31.4"),
    ],
)
def test_text_is_not_found(looked_for: str, text: str) -> None:
    assert not finds(looked_for, text)


@given(RUN, st.data(), ANYTHING)
def test_every_part_of_a_run_is_found_in_any_text_around_it(
    run: str, data: st.DataObject, around: str
) -> None:
    start = data.draw(st.integers(0, len(run) - 1))
    end = data.draw(st.integers(start + 1, len(run)))
    part = run[start:end]
    assert finds(part, f"{around} {run} {around}")


@given(SPACED, st.data())
def test_every_row_of_words_is_found_as_a_phrase(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert finds(" ".join(words[start:end]), " ".join(words))


@given(WORD, st.data())
def test_beginning_of_a_word_is_found_while_it_is_typed(word: str, data: st.DataObject) -> None:
    typed = word[: data.draw(st.integers(1, len(word)))]
    assert finds(typed, f"before {word} after", unfinished=True)


@given(PICTOGRAPHS, st.data())
def test_every_part_of_a_row_of_pictographs_is_found(row: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(row) - 1))
    end = data.draw(st.integers(start + 1, len(row)))
    assert finds(row[start:end], f"x {row} y")


@given(st.text(st.one_of(HANGUL, HAN, KANA), min_size=2, max_size=3), RUN, RUN)
def test_what_is_found_in_a_run_is_part_of_it(part: str, first: str, second: str) -> None:
    text = f"{first} {second}"
    assert finds(part, text) == any(part in run for run in (first, second))


@given(st.lists(WORD, min_size=1, max_size=4))
def test_case_width_and_composition_make_no_difference(words: list[str]) -> None:
    text = " ".join(words)
    for other in (
        text.upper(),
        unicodedata.normalize("NFD", text),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    ):
        assert search_tokens.texts(other) == search_tokens.texts(text)


@given(ANYTHING)
def test_every_token_is_such_as_every_store_keeps(text: str) -> None:
    for token in search_tokens.texts(text):
        assert ALLOWED.fullmatch(token), token
        assert len(token) <= LONGEST_TOKEN + 1


@given(ANYTHING, ANYTHING)
def test_spans_are_in_order_and_within_the_text(text: str, looked_for: str) -> None:
    term = search_tokens.term(looked_for)
    found = search_tokens.spans([term], text) if term else []
    ends = [0, *(place for span in found for place in span)]
    assert ends == sorted(ends)
    assert ends[-1] <= len(text)
    assert all(start < end for start, end in found)


@given(ANYTHING)
def test_whole_text_finds_itself(text: str) -> None:
    term = search_tokens.term(text)
    if term is not None:
        assert next(search_tokens.found(term, search_tokens.texts(text))) == 0


@pytest.mark.parametrize(
    ("looked_for", "text", "marked"),
    [
        ("서울", "대한민국서울은 서울", ["서울", "서울"]),
        ("서", "서울", ["서"]),
        ("full", "ｆｕｌｌ Ｆull", ["ｆｕｌｌ", "Ｆull"]),
        ("ガンダム", "ｶﾞﾝﾀﾞﾑだ", ["ｶﾞﾝﾀﾞﾑ"]),
        ("example.com", "https://example.com/x", ["example.com"]),
        ("👍", "ok 👍🏽", ["👍🏽"]),
        ("가나다", "가나다라", ["가나다"]),
        ("가나", "가나가나", ["가나가나"]),
    ],
)
def test_spans_are_what_was_looked_for(looked_for: str, text: str, marked: list[str]) -> None:
    term = search_tokens.term(looked_for)
    assert term is not None
    assert [text[start:end] for start, end in search_tokens.spans([term], text)] == marked


@pytest.mark.parametrize("text", ["", " ", "!?…", "\N{ZERO WIDTH JOINER}", "—", "\n"])
def test_what_has_no_letter_finds_nothing(text: str) -> None:
    assert search_tokens.term(text) is None
    assert search_tokens.texts(text) == []


def test_marks_are_no_words() -> None:
    marks = [
        search_tokens.author(7),
        search_tokens.tag("서울"),
        search_tokens.mention("Mina"),
        search_tokens.language("KO"),
        search_tokens.LINK,
        search_tokens.EVERY,
    ]
    assert marks == ["a_7", "g_서울", "m_mina", "l_ko", "h_link", "z_every"]
    said = search_tokens.texts(" ".join(marks))
    assert not set(said) & set(marks)


def test_flood_of_words_is_cut() -> None:
    assert len(search_tokens.texts("a " * 20_000)) == search_tokens.MOST_TOKENS
    assert search_tokens.texts("x" * 500) == [f"x{'x' * 500}"[:LONGEST_TOKEN]]
    assert search_tokens.term("한") == Term(("k한",), open=True, needle="한")


@given(ANYTHING, ANYTHING)
def test_fold_of_a_part_is_a_part_of_the_fold(first: str, second: str) -> None:
    assert search_tokens.fold(f"{first}\n{second}") == "\n".join(
        map(search_tokens.fold, (first, second))
    )


def test_words_are_not_remembered() -> None:
    """There is no end to words: what is kept of each would grow for weeks."""

    def held_after(words: range) -> int:
        for number in words:
            search_tokens.texts(f"naïve{number} plain{number} 한글{number}")
        gc.collect()
        return sys.getallocatedblocks()

    before = held_after(range(100))
    assert held_after(range(100, 5_100)) - before < 2_500
