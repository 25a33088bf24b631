"""What is written in the contract of search, what is looked for in it, and what must be found.

`docs/search.md` shows the tables made of this, by `benchmarks/search_tables.py`.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)

# A post each, a day apart: its number, who wrote it, what.
POSTS = (
    ("mina", "한글은 1443년에 만들어졌다"),
    ("mina", "대한민국서울에서 보낸 하루"),
    ("bora", "서울은 오늘 맑음"),
    ("bora", "#서울 날씨가 좋아요"),
    ("mina", "비가 온다"),
    ("bora", "나비가 꽃에 앉았다"),
    ("mina", "한글날에는 한글 간판을 찾아보자 #한글날"),
    ("bora", "파이썬으로 한글을 다루기: python으로 쉽게"),
    ("mina", "책을 읽었다. 책이 좋다. 책, 책"),
    ("bora", "김치찌개와 된장찌개 중에 뭐가 좋아요?"),
    ("mina", "부산 바다 https://example.org/busan 에서"),
    ("bora", "ㅋㅋㅋ 정말 웃기다"),
    ("mina", "오늘날 좋은 일은 많다"),
    ("bora", "날 좋은 오늘"),
    ("mina", "東京タワーに行きました"),
    ("bora", "ﾄｳｷｮｳの天気はいいですね"),
    ("mina", "我在北京大学学习中文"),
    ("bora", "Heavy rain in Seoul, rain again"),
    ("mina", "The rain was heavy @bora"),
    ("bora", "Snow, not rain: see www.example.com/winter?a=1 #Winter"),
    ("mina", "I don't know C, but C++ and Python 3.14 😀"),
    ("bora", "👍🏽 👨‍👩‍👧 from 🇰🇷"),
    ("mina", "ＦＵＬＬ ｗｉｄｔｈ and STRASSE"),
    ("bora", "ภาษาไทยไม่มีช่องว่าง हिन्दी भी"),
    ("mina", "snake_case_name and camelCase"),
    ("bora", "서 있는 사람과 울고 있는 사람"),
    ("mina", "서울대학교 도서관, 서울 대학로"),
    ("bora", "k팝 좋아하는 친구 @mina"),
    ("mina", "Two evenings, no car"),
    ("bora", "얼마나 걸려요?"),
    ("mina", "네 시간 반"),
)

# What those posts ask that are questions, and which post is the answer that was accepted.
TITLES = {29: "Where would you walk at dusk?", 30: "제주까지 배로 가 보신 분?"}
ANSWERS = {30: 31}

# In what they were written, where that is said.
LANGUAGES = {15: "ja", 16: "ja", 17: "zh"}

DELETED = ("mina", "지운 한글 글 rain")
HIDDEN = ("mina", "비밀 한글 글 rain")  # for her followers only
LEFT = ("gone", "떠난 사람의 한글 글 rain")  # whose account was closed


class Case(NamedTuple):
    """A query, and the numbers of the posts that answer it, the best first."""

    query: str
    found: tuple[int, ...]


KOREAN = (
    Case("한글", (7, 1, 8)),
    Case("한글은", (1,)),
    Case("한글날", (7,)),
    Case("글날", (7,)),
    Case("서울", (4, 27, 3, 2)),
    Case("대한민국", (2,)),
    Case("민국서울", (2,)),
    Case("서울대", (27,)),
    Case("서울 대학", (27,)),
    Case('"서울 대학"', (27,)),
    Case("서", (27, 4, 3, 26, 2, 11)),
    Case("비", (5, 6)),
    Case("비가", (5, 6)),
    Case("책", (9,)),
    Case("좋아요", (4, 10)),
    Case("좋아", (4, 28, 10)),
    Case("찌개", (10,)),
    Case('"날 좋"', (14, 13)),
    Case("ㅋㅋ", (12,)),
    Case("python으로", (8,)),
    Case("#서울", (4,)),
    Case("서울 -날씨", (27, 3, 2)),
)

OTHERS = (
    Case("東京", (15,)),
    Case("タワー", (15,)),
    Case("トウキョウ", (16,)),
    Case("天", (16,)),
    Case("北京", (17,)),
    Case("大学", (17,)),
    Case("学", (17,)),
    Case("rain", (18, 19, 20)),
    Case("RAIN heavy", (18, 19)),
    Case('"heavy rain"', (18,)),
    Case('"rain was heavy"', (19,)),
    Case("rain -heavy", (20,)),
    Case('rain -"rain in seoul"', (19, 20)),
    Case("ra", ()),
    Case("don't", (21,)),
    Case("c", (21,)),
    Case("3.14", (21,)),
    Case("😀", (21,)),
    Case("👍", (22,)),
    Case("👩", (22,)),
    Case("🇰🇷", (22,)),
    Case("full width", (23,)),
    Case("straße", (23,)),
    Case("ไทย", (24,)),
    Case("हिन्दी", (24,)),
    Case("snake_case", (25,)),
    Case("case_name", (25,)),
    Case("camelcase", (25,)),
    Case("example.com", (20,)),
    Case("www.example.com/winter", (20,)),
    Case("#winter", (20,)),
    Case("@bora", (19,)),
    Case("k팝", (28,)),
    Case("has:link -rain", (11,)),
    Case("from:mina rain", (19,)),
    Case("from:mina from:bora rain", (18, 19, 20)),
    Case("-from:mina rain", (18, 20)),
    Case("before:2026-01-03", (2, 1)),
    Case("after:2026-01-27", (31, 30, 29, 28)),
    Case("after:2026-01-17 before:2026-01-20 rain", (18, 19)),
    Case("lang:ja", (16, 15)),
    Case("学 -lang:ja", (17,)),
    Case("中文 lang:ko", ()),
    Case("dusk", (29,)),
    Case("제주", (30,)),
    Case('"at dusk" evenings', (29,)),
    Case("is:question", (30, 29)),
    Case("is:open", (29,)),
    Case("is:answered", (30,)),
    Case("is:question -is:open", (30,)),
    Case("is:answered 얼마나", (30,)),
    Case("from:bora is:open", ()),
    Case("as", ()),
    Case("was", (19,)),
)


def written_at(number: int) -> datetime:
    """Return when a post of this number was written."""
    return BEGIN + timedelta(days=number - 1)
