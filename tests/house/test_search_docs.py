"""`docs/search.md` says what is so: its examples are understood, its tables are the contract's."""

import re
from pathlib import Path

import pytest

from microblog.core import search_query
from tests.contract import corpus, tables

DOCUMENT = Path(__file__).parents[2].joinpath("docs", "search.md").read_text()
LANGUAGE = DOCUMENT.partition("## How to ask")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"`([^`]+)`", LANGUAGE)


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each != "-"])
def test_example_is_understood(example: str) -> None:
    query = search_query.parse(example)
    operator = example.partition(":")[0]
    is_text = operator == example or operator not in search_query.OPERATORS
    assert bool(query.terms or query.unwanted or query.marks) or not is_text


def test_every_operator_is_told() -> None:
    told = {example.partition(":")[0] for example in EXAMPLES if ":" in example}
    assert set(search_query.OPERATORS) <= told


def test_korean_table_is_the_one_that_is_tested() -> None:
    assert tables.korean() in DOCUMENT
    assert len(corpus.KOREAN) >= 20


def test_contract_is_kept_by_all_stores() -> None:
    whole = {name: [len(cases)] * len(tables.STORES) for name, cases in tables.GROUPS.items()}
    assert tables.contract(whole) in DOCUMENT
