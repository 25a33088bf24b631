"""The order of relevance, and the places in it from which a reader goes on."""

import pytest

from microblog.core import search_ranking, search_tokens
from microblog.core.search_ranking import Place, parse


def score(looked_for: str, text: str) -> int:
    term = search_tokens.term(looked_for)
    assert term is not None
    return search_ranking.score([term], text)


@pytest.mark.parametrize(
    ("looked_for", "better", "worse"),
    [
        ("서울", "서울은 덥다", "대한민국서울"),
        ("서울", "#서울 날씨", "서울 날씨"),
        ("rain", "Rain, rain", "Rain again"),
        ("rain", "Rain", "Rain and a very long day behind the window"),
        ("비", "비가 온다", "나비가 온다"),
    ],
)
def test_better_answer_scores_more(looked_for: str, better: str, worse: str) -> None:
    assert score(looked_for, better) > score(looked_for, worse)


def test_score_has_bounds() -> None:
    assert score("a", "a a a") <= 999
    assert score("a-b", "a b") == 0
    assert search_ranking.score([], "anything") == 0


def test_exact_name_is_before_one_that_begins_so() -> None:
    scores = [
        search_ranking.score_name("mina", *names)
        for names in (
            ("mina", ""),
            ("minari", ""),
            ("x_1", "Mina K"),
            ("x_2", "Kim Mina"),
            ("y", ""),
        )
    ]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 5


@pytest.mark.parametrize("place", [Place(12), Place(12, 0, 3), Place(2**63 - 1, 999, 1)])
def test_place_is_read_back(place: Place) -> None:
    assert parse(str(place)) == place


@pytest.mark.parametrize("text", ["x", "1.", "1.2", "1.2.3.4", "-1", "1.-2.3", "9" * 19, "١"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        parse(text)


def test_nothing_is_the_beginning() -> None:
    assert parse(None) is None
    assert parse("") is None
