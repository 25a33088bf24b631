"""How the posts of the demo are put together from sentences. `demo` calls it.

A post of a topic is an opening, a detail and, at times, a closing; any of them go together.
`{name}` and `{other}` stand for the usernames of other demo people.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to write about."""

    tags: tuple[str, ...]
    openings: tuple[str, ...]
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """What is written in one language: of topics, and posts that stand alone."""

    topics: tuple[Topic, ...]
    alone: tuple[str, ...]
    closings: tuple[str, ...]


def bodies(texts: Texts, chance: random.Random) -> Iterator[str]:
    """Yield posts without end, none twice until all were there, with places for the names."""
    while True:
        found = list(texts.alone)
        for topic in texts.topics:
            for opening in topic.openings:
                found += [
                    _body(f"{opening} {detail}", topic, texts, chance) for detail in topic.details
                ]
        chance.shuffle(found)
        yield from found


def _body(text: str, topic: Topic, texts: Texts, chance: random.Random) -> str:
    parts = [text]
    if chance.random() < 0.25:
        parts.append(chance.choice(texts.closings))
    if chance.random() < 0.7:
        parts += [f"#{tag}" for tag in topic.tags[: chance.choice((1, 1, 2))]]
    return " ".join(parts)
