"""Where the web addresses in a text begin and end. `text` counts by it, `markup` links by it.

linkify-it decides what an address is; here stands only what it cannot know: that in Korean,
Japanese and Chinese the sentence goes on right behind an address without a space.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import regex
from linkify_it import LinkifyIt

LONGEST_LINK: Final = 2_048

# A post of 500 characters has no room for more, so a hostile text of thousands costs no more.
_MOST_TRIES: Final = 100

_SCHEME = regex.compile(r"(?<![A-Za-z0-9.+-])https?:(?=//)", regex.IGNORECASE)

# RFC 3986 allows none of these in an address; without the backtick, code would belong to the link.
_RUN = regex.compile(rf"[^\s`<>\\^|]{{1,{LONGEST_LINK + 1}}}+")

# User, host and port: what stands between the slashes. More than this is no host's name.
_AUTHORITY = regex.compile(r"[^/?#]{0,300}+")

# A user name before the host, or a letter in it that nobody sees.
_HIDING = regex.compile(r"[@\p{C}]")

_CJK = r"[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]"

# No top-level domain mixes scripts, so "com입니다" is "com" and the rest of the sentence. A later
# label that could end a name ("www.lg전자.kr") says that the mixed one is no top level.
_SENTENCE_BEHIND_HOST = regex.compile(
    r"(?:(?<=\.)(?:xn--[a-z0-9-]{1,59}|[a-z]{2,24})|:[0-9]{1,5}|^localhost)\K"
    rf"(?={_CJK})(?!.*\.(?:[a-z]{{2,24}}|한국|삼성|닷컴|닷넷)(?:$|:|{_CJK}))",
    regex.IGNORECASE,
)

# Behind Latin letters or digits, a path's last syllables are a particle or the copula of the
# sentence, not a page. A run of Hangul that holds more than these belongs to the path.
_PARTICLE_BEHIND_PATH = regex.compile(
    r"(?<=[A-Za-z0-9]|^https?://[^/]+/)"
    r"(?:은|는|이|가|을|를|의|에|와|과|도|만|로|으로|에서|에게|부터|까지|처럼|보다|라는|라고|하고"
    r"|에는|에도|에서는|에서도|으로는|로는|까지는|입니다|이에요|예요|이다|인데|이고)$",
    regex.IGNORECASE,
)

_linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})


@dataclass(frozen=True, slots=True)
class Link:
    """Hold one address: `text[start:end]` is it, as typed.

    `safe` is false for an address that hides where it leads: by a user name before the host
    ("https://bank.example@evil.example") or by letters in it that nobody sees.
    """

    start: int
    end: int
    safe: bool


def find(text: str) -> Iterator[Link]:
    """Yield the http and https addresses of `text`, first to last.

    Each is at most `LONGEST_LINK` characters; longer ones, and addresses without a scheme, are
    plain text. Takes time in proportion to the text, whatever it holds.
    """
    position = tries = 0
    while tries < _MOST_TRIES and (scheme := _SCHEME.search(text, position)):
        tries += 1
        start, position = scheme.span()
        if length := _length(text, start, position):
            authority = _AUTHORITY.match(text, position + 2, start + length)
            position = start + length
            yield Link(start, position, safe=not (authority and _HIDING.search(authority[0])))


def _length(text: str, start: int, colon_end: int) -> int:
    """How many characters from `start` are an address: 0 where none begins, or a too long one."""
    run = _RUN.match(text, start, _sentence_start(text, colon_end + 2))
    if not run:
        return 0
    rest = cast("int", _linkify.test_schema_at(run[0], "https:", colon_end - start))
    address = run[0][: colon_end - start + rest] if rest else ""
    if len(address) > LONGEST_LINK:
        return 0
    particle = _PARTICLE_BEHIND_PATH.search(address)
    return particle.start() if particle else len(address)


def _sentence_start(text: str, host_start: int) -> int:
    """Where the sentence goes on right behind the host, or the text's length where it does not."""
    authority = _AUTHORITY.match(text, host_start)
    end = _SENTENCE_BEHIND_HOST.search(authority[0]) if authority else None
    return host_start + end.start() if end else len(text)
