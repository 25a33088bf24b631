"""A microblog with a past: people, whom they follow and what they wrote, the same each time.

`filling` writes it into Microblog's database and into the peer's, so both show the same pages.
Person 1 is the reader, who follows `followed` people. Person 2 is another reader, who follows only
`QUIET` people, all of whom fell silent long ago: the case that a timeline is worst at.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

READER = 1
READER_OF_THE_QUIET = 2
QUIET = 5
FIRST_WRITER = 3
SPAN = timedelta(days=30)
SILENT_SINCE = 0.01  # of all posts: after so many the quiet ones wrote no more
MENTIONS = 0.1  # of all posts name somebody
_SENTENCES = (
    "A clear morning on the ridge, and the fog lies in the valley.",
    "오늘 아침 산길은 맑고 조용합니다.",
    "Who comes along next week? We meet at the bridge at seven.",
    "The second loaf came out better than the first one.",
    "새로 산 자전거로 강변을 달렸는데 바람이 참 좋았어요.",
    "I have read half of it and already want to begin again.",
    "기차가 늦어서 역 앞에서 국수를 먹었습니다.",
    "Three tests were red, one of them for a good reason.",
    "Notes of the talk: https://example.org/notes/2026/rivers",
    "`sort` was never the slow part, the reading was.",
    "내일은 비가 온다고 하니 우산을 챙기세요.",
    "Thank you all for the answers, I took the blue one.",
)
_TAGS = ("서울", "hiking", "bread", "books", "자전거", "python", "rain", "music")


@dataclass(frozen=True, slots=True)
class Written:
    """A post before anyone stored it. `number` counts from 0, oldest first."""

    number: int
    author_id: int
    body: str
    tags: tuple[str, ...]
    mentioned_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Archive:
    """What is to be written; `until` is the time of the newest post.

    The `audience` is of people who write nothing, and follow nobody but the first writer.
    """

    posts: int
    followed: int
    people: int
    follows_each: int
    until: datetime
    audience: int = 0

    @property
    def ids(self) -> range:
        """Everybody: the readers, the writers, the quiet ones, and last the audience."""
        return range(1, self.people + self.audience + 1)

    @property
    def listeners(self) -> range:
        return range(self.people + 1, self.people + self.audience + 1)

    @property
    def quiet(self) -> range:
        return range(self.people - QUIET + 1, self.people + 1)

    @property
    def writers(self) -> range:
        return range(FIRST_WRITER, self.people - QUIET + 1)

    def follows(self) -> list[tuple[int, int]]:
        """Return who reads whom, in pairs."""
        chance = random.Random("whom they follow")
        pairs = [(READER, one) for one in self.writers[: self.followed]]
        pairs += [(READER_OF_THE_QUIET, one) for one in self.quiet]
        for follower in self.writers:
            others = chance.sample(self.writers, self.follows_each + 1)
            pairs += [(follower, one) for one in others if one != follower][: self.follows_each]
        return pairs + [(one, FIRST_WRITER) for one in self.listeners]

    def written(self) -> Iterator[Written]:
        """Yield the posts, oldest first, spread evenly over the last thirty days."""
        chance = random.Random("what they wrote")
        step = SPAN / self.posts
        silent = max(1, round(self.posts * SILENT_SINCE))
        for number in range(self.posts):
            quiet = number < silent and number % 2 == 0
            author = chance.choice(self.quiet if quiet else self.writers)
            words = chance.choices(_SENTENCES, k=chance.randint(1, 4))
            tags = tuple(dict.fromkeys(chance.choices(_TAGS, k=chance.choice((0, 0, 1, 2)))))
            mentioned = chance.choice(self.writers) if chance.random() < MENTIONS else None
            words += [f"#{tag}" for tag in tags]
            words += [f"@{username(mentioned)}"] if mentioned else []
            body = f"{' '.join(words)} ({number})"
            at = self.until - step * (self.posts - 1 - number)
            yield Written(number, author, body, tags, mentioned, at)


def archive(
    posts: int, *, writers: int, followed: int, follows_each: int, audience: int = 0
) -> Archive:
    """Plan an archive that ends now."""
    people = FIRST_WRITER - 1 + writers + QUIET
    until = datetime.now(UTC) - timedelta(minutes=1)
    return Archive(posts, followed, people, follows_each, until, audience)


def username(person_id: int) -> str:
    return f"person{person_id}"


def about(person_id: int) -> str:
    return f"Number {person_id}. Seoul, bicycles, bread" if person_id % 3 else ""
