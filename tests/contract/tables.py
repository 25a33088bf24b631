"""The tables of `docs/search.md`, made of the contract's corpus."""

from collections.abc import Mapping, Sequence

from tests.contract import corpus
from tests.contract.corpus import Case

STORES = ("SQLite", "PostgreSQL", "MariaDB", "Elasticsearch")
GROUPS: Mapping[str, tuple[Case, ...]] = {
    "Korean, by relevance": corpus.KOREAN,
    "other languages, phrases and operators": corpus.OTHERS,
}


def korean() -> str:
    """Return the Korean relevance table: each query and what it must find, the best first."""
    rows = ["| query | finds, the best first |", "|---|---|"]
    for query, numbers in corpus.KOREAN:
        texts = [f"{number}: {corpus.POSTS[number - 1][1]}" for number in numbers]
        rows.append(f"| `{query}` | {' · '.join(texts)} |")
    return "\n".join(rows)


def contract(right: Mapping[str, Sequence[int]]) -> str:
    """Return how many queries of each group each store answers as it must."""
    rows = [
        f"| | {' | '.join(STORES)} |",
        f"|---{'|---:' * len(STORES)}|",
    ]
    for name, cases in GROUPS.items():
        told = [f"{right[name][n]} of {len(cases)}" for n in range(len(STORES))]
        rows.append(f"| {name} | {' | '.join(told)} |")
    return "\n".join(rows)
