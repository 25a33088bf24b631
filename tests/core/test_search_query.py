"""The language in which people search: what each part asks for, and what is said of mistakes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import search_plan, search_query
from microblog.core.errors import Invalid
from microblog.core.search_query import Query, parse
from microblog.core.search_tokens import Term


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


def test_each_part_asks_for_its_own() -> None:
    query = parse(
        'rain "heavy rain" -snow #Seoul -#busan @Mina from:Bora -from:me has:link lang:KO'
    )
    assert [term.tokens for term in query.terms] == [("xrain",), ("xheavy", "xrain")]
    assert [term.tokens for term in query.unwanted] == [("xsnow",)]
    assert query.marks == ["g_seoul", "m_mina", "h_link", "l_ko"]
    assert query.unwanted_marks == ["g_busan"]
    assert query.authors == ["bora"]
    assert query.unwanted_authors == ["me"]


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("before:2026-01-31", None, day(2026, 1, 31)),
        ("after:2026-01-31", day(2026, 2, 1), None),
        ("before:2026-2", None, day(2026, 2, 1)),
        ("after:2026-12", day(2027, 1, 1), None),
        ("after:2025", day(2026, 1, 1), None),
        ("after:2024-02-28 before:2024-03-01", day(2024, 2, 29), day(2024, 3, 1)),
        ("-before:2026", day(2026, 1, 1), None),
        ("-after:2026", None, day(2027, 1, 1)),
        ("before:2026 before:2025", None, day(2025, 1, 1)),
    ],
)
def test_date_is_a_day_a_month_or_a_year(
    text: str, since: datetime | None, until: datetime | None
) -> None:
    query = parse(text)
    assert (query.since, query.until) == (since, until)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("before:2026-13-01", "“2026-13-01” is no date. Write it like this: before:2026-01-31."),
        ("after:yesterday", "“yesterday” is no date. Write it like this: after:2026-01-31."),
        ("before:2026-02-30", "is no date"),
        ("before:0000", "is no date"),
        ("after:9999", "is no date"),
        ("before:", "is no date"),
        ("before:２０２６", "is no date"),
        ("has:picture", "has:link"),
        ("lang:korean", "lang:ko"),
        ("lang:", "lang:ko"),
        ("from:한글", "from:mina"),
        ("from:", "from:mina"),
        ("!!!", "Write letters, numbers or emoji."),
        ("-", "Write letters, numbers or emoji."),
        ('""', "Write letters, numbers or emoji."),
        ("x" * 201, "200 characters at most"),
        ("a " * 21, "20 at most"),
    ],
)
def test_mistake_is_told_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(Invalid) as told:
        parse(text)
    assert said in str(told.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(Invalid) as told:
        parse("rain before:x has:y is:z from:z lang:1")
    assert len(told.value.errors["q"]) == 5


@pytest.mark.parametrize("text", ["12:30", "https://example.org", "see:here", "note: x", "a:b"])
def test_what_is_no_operator_is_text(text: str) -> None:
    query = parse(text)
    assert query.terms
    assert not query.marks


@pytest.mark.parametrize("text", ["", "  ", "\0", "\n\t"])
def test_nothing_asked_for_is_empty(text: str) -> None:
    assert parse(text).is_empty


def test_open_quote_is_a_phrase_to_the_end() -> None:
    assert parse('"heavy rain').terms == parse('"heavy rain"').terms


@given(st.text(max_size=200))
def test_any_text_is_understood_or_refused_in_words(text: str) -> None:
    query = understood(text)
    if query is not None:
        asked = search_plan.plan(query, [1], [])
        for write in (search_plan.fts5, search_plan.tsquery, search_plan.boolean_mode):
            assert write(asked)


def understood(text: str) -> Query | None:
    try:
        return parse(text)
    except Invalid:
        return None


def test_plan_is_written_as_each_store_is_asked() -> None:
    query = parse('서울 "k팝 좋" 울 -비 -"눈 오" #tag')
    asked = search_plan.plan(query, [1, 2], [3])
    assert search_plan.fts5(asked) == (
        '("k서울" AND "xk_ k팝_ k좋" * AND "k울" * AND "g_tag" AND ("a_1" OR "a_2"))'
        ' NOT "k비" * NOT "k눈_ k오" * NOT "a_3"'
    )
    assert search_plan.tsquery(asked) == (
        "('k서울') & ('xk_' <-> 'k팝_' <-> 'k좋':*) & ('k울':*) & ('g_tag') & ('a_1' | 'a_2')"
        " & !('k비':*) & !('k눈_' <-> 'k오':*) & !('a_3')"
    )
    # It knows no open phrase: what is wanted is asked in parts, what is not is left to the texts.
    assert search_plan.boolean_mode(asked) == (
        ["+k서울 +g_tag +(a_1 a_2)", '"xk_ k팝_"', "k좋*", "k울*"],
        ["k비*", "a_3"],
    )


def test_only_what_is_unwanted_is_asked_of_every_text() -> None:
    assert search_plan.fts5(search_plan.plan(parse("-rain"), [], [])) == '("z_every") NOT "xrain"'


def test_vector_names_each_token_with_its_places() -> None:
    assert search_plan.tsvector(["xa_", "xb_", "xa_"]) == "'xa_':1,3 'xb_':2"


def test_names_are_found_before_they_are_finished() -> None:
    assert search_query.names_of("@mi") == Term(("xmi",), open=True, needle="@mi")
    assert search_query.names_of("!") is None


def test_questions_are_asked_for_by_what_they_are() -> None:
    query = parse("is:question IS:open -is:answered")
    assert query.marks == ["q_question", "q_open"]
    assert query.unwanted_marks == ["q_answered"]
