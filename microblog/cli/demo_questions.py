"""What the people of the demo ask one another, and what they answer. Read by `demo`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from microblog.actions import accounts, posts, questions
from microblog.actions.posts import Draft
from microblog.actions.questions import Asking
from microblog.database import Tx
from microblog.models import User


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answers: who says what, by the number of the demo's person.

    `accepted` is the number of the answer that helped, and `thanks` what its asker replies to it.
    """

    asker: int
    title: str
    body: str
    tags: str
    answers: tuple[tuple[int, str], ...] = ()
    accepted: int | None = None
    thanks: str = ""

    @property
    def posts(self) -> int:
        """How many posts it makes."""
        return 1 + len(self.answers) + bool(self.thanks)


EXCHANGES = (
    Exchange(
        0,
        "Which knot holds a wet rope without jamming?",
        "I moor a small boat at Pebble Bay, and each morning I fight the same knot.",
        "knots boats",
        (
            (10, "A bowline. If it ever jams, you have tied something else."),
            (8, "Two half hitches, and a glove."),
        ),
        0,
        "A bowline it is. This morning it came loose in a second. Thank you!",
    ),
    Exchange(
        9,
        "데이터베이스 백업은 얼마나 자주 하시나요?",
        "작은 서비스를 하나 운영하는데, 하루 한 번이면 충분한지 궁금합니다.",
        "데이터베이스 백업",
        (
            (5, "하루 한 번에 더해서, 고치기 직전에 한 번 더 합니다."),
            (11, "얼마나 자주보다 되돌려 본 적이 있는지가 더 중요해요."),
        ),
        1,
        "되돌려 보니 정말 하나가 깨져 있었어요. 덕분에 알았습니다.",
    ),
    Exchange(
        6,
        "How do you name things that exist only for an hour?",
        "Temporary tables, branches, folders. Mine are all called test2.",
        "python naming",
        ((4, "After the day. On the next day you are ashamed, and delete them."),),
    ),
    Exchange(
        7,
        "된장찌개에 꼭 넣는 재료가 하나 있다면요?",
        "동네 식당 지도를 그리다가 집마다 맛이 달라서 여쭤봅니다.",
        "음식 된장찌개",
        ((3, "바지락이요. 국물이 달라져요."), (13, "말린 표고버섯 한 줌.")),
    ),
    Exchange(
        18,
        "What does one say to a class that asks why the sky is dark at night?",
        "They are eight. “The sun is away” was booed.",
        "teaching stars",
    ),
)
POSTS = sum(exchange.posts for exchange in EXCHANGES)


async def hold(tx: Tx, people: Sequence[User], moment: datetime) -> None:
    """Let the demo's people ask and answer, all in this transaction.

    Everybody's row is taken first and in one order, as for the demo's posts.
    """
    speaking = {people[number].id for each in EXCHANGES for number in _who(each)}
    for user_id in sorted(speaking):
        await accounts.seen(tx, {user_id}, moment)
    for exchange in EXCHANGES:
        await _talk(tx, people, exchange, moment)


def _who(exchange: Exchange) -> Iterator[int]:
    yield exchange.asker
    yield from (number for number, _ in exchange.answers)


async def _talk(tx: Tx, people: Sequence[User], exchange: Exchange, moment: datetime) -> None:
    asker = people[exchange.asker]
    asking = Asking(exchange.title, exchange.body, exchange.tags, language=asker.language)
    question = await questions.ask(tx, asker, asking, moment)
    answers = []
    for number, text in exchange.answers:
        who = people[number]
        draft = Draft(text, language=who.language, reply_to=question.id)
        answers.append(await posts.publish(tx, who, draft, moment))
    if exchange.accepted is not None:
        helpful = answers[exchange.accepted]
        await questions.accept(tx, asker, question.id, helpful.id, moment)
        draft = Draft(exchange.thanks, language=asker.language, reply_to=helpful.id)
        await posts.publish(tx, asker, draft, moment)
