"""What a post says and how it looks: links, mentions, hashtags and code in plain text.

`actions` call `parse` when a post is stored, `render` calls `render` when it is shown; both walk
the same tokens, so what is linked is what was stored. A text has passed `text.check` before.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import nh3
import regex
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.fence import make_fence_rule
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from microblog.core import links
from microblog.core.names import USERNAME_PATTERN

MOST_OF_A_KIND: Final = 20
"""Different people a post can mention, and different tags it can have; further ones are text."""

LONGEST_TAG: Final = 50
"""Code points of a hashtag, after normalisation too."""

OUTBOUND_REL: Final = "nofollow noopener noreferrer ugc"
SHOWN_AFTER_HOST: Final = 30

_TAG_LETTER = r"[\p{L}\p{M}\p{N}_]"
_TAG = rf"(?=[\p{{N}}_]*+\p{{L}}){_TAG_LETTER}{{1,{LONGEST_TAG}}}+(?!{_TAG_LETTER})"
_WHOLE_TAG = regex.compile(_TAG)

# A mention stands free of Latin letters, so of e-mail addresses and of @name@other.example, but
# not of Hangul: in "@mina가" the particle belongs to the sentence, as does what stands before @.
# Tags may follow one another without a space ("#맛집#서울"): \G is where the last one ended.
NAME_OR_TAG = regex.compile(
    rf"(?<![A-Za-z0-9_@/])@(?P<mention>{USERNAME_PATTERN})(?![A-Za-z0-9_@]|\.[A-Za-z0-9])"
    rf"|(?:\G|(?<!{_TAG_LETTER}|[&/#]))#(?P<tag>{_TAG})"
)
_FENCE = regex.compile(r"[ \t]*(?P<marks>`{3,})[ \t]*(?P<language>[^\s`]*)[ \t]*")
_ADDRESS = regex.compile(rf"(?P<host>\w+://[^/?#]*)(?P<shown>\X{{0,{SHOWN_AFTER_HOST}}}+)")


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold what a text refers to, in the order of first appearance, each once.

    `mentions` are lower-case usernames, `tags` are normalised, at most `MOST_OF_A_KIND` each;
    `links` are addresses as they would be followed.
    """

    mentions: tuple[str, ...]
    tags: tuple[str, ...]
    links: tuple[str, ...]


def parse(text: str) -> Parsed:
    """Find the people, tags and addresses that `render` would link."""
    found: dict[str, dict[str, None]] = {"mention": {}, "tag": {}, "link": {}}
    for block in _markdown.parse(text, {}):
        for token in block.children or ():
            if token.type in found:
                found[token.type][token.meta["value"]] = None
    return Parsed(tuple(found["mention"]), tuple(found["tag"]), tuple(found["link"]))


def render(
    text: str,
    mention_url: Callable[[str], str],
    tag_url: Callable[[str], str],
    known: Collection[str] | None,
    marked: Callable[[str], Iterable[tuple[int, int]]] | None = None,
) -> str:
    """Return `text` as safe HTML: paragraphs, line breaks, links, mentions, hashtags, code.

    `mention_url` and `tag_url` get what `parse` tells: a lower-case username, a normalised tag.
    Only mentions in `known`, lower-case too, become links; None links all of them. Everything
    else stands there as it was typed; only a long address is shown shortened, its host in full.
    `marked` returns the parts of a text that are to stand out, in order and without overlaps.
    """
    env = {"mention_url": mention_url, "tag_url": tag_url, "known": known, "marked": marked}
    html: str = _markdown.render(text, env)
    return _second_wall.clean(html).strip()


def tag_name(text: str) -> str | None:
    """Return the one name of a hashtag, typed without #, or None where it cannot be one.

    Letters, digits and underscores of any script, at least one letter, at most `LONGEST_TAG`:
    NFKC and case folded, so that "Ｐｙｔｈｏｎ" and "python" are one. In Korean a particle cannot
    be told from the end of a word without a dictionary ("나이" is age, or "I" as a subject), so
    the whole run of Hangul is the tag.
    """
    if not _WHOLE_TAG.fullmatch(text):
        return None
    folded = unicodedata.normalize("NFKC", text).casefold()
    name = unicodedata.normalize("NFKC", folded)
    # Some single letters unfold into many, or into words with spaces ("ﷺ").
    return name if _WHOLE_TAG.fullmatch(name) else None


def _annotate(state: StateCore) -> None:
    """Split the text of each paragraph, but not its code, at what it refers to."""
    seen: dict[str, set[str]] = {"mention": set(), "tag": set()}
    for block in state.tokens:
        if block.type == "fence":
            block.info = ""  # We colour no code, so the language would only be a stray class.
        pieces: list[Token] = []
        for child in block.children or ():
            pieces += _pieces(child.content, seen) if child.type == "text" else [child]
        block.children = pieces if block.children else block.children


def _pieces(text: str, seen: dict[str, set[str]]) -> Iterator[Token]:
    position = 0
    for link in links.find(text):
        yield from _names_and_tags(text, position, link.start, seen)
        address = text[link.start : link.end]
        if link.safe:
            yield _token("link", address, _markdown.normalizeLink(address))
        else:
            yield _token("text", address)
        position = link.end
    yield from _names_and_tags(text, position, len(text), seen)


def _names_and_tags(text: str, start: int, end: int, seen: dict[str, set[str]]) -> Iterator[Token]:
    for found in NAME_OR_TAG.finditer(text, start, end):
        kind = "mention" if found["mention"] else "tag"
        value = found["mention"].lower() if found["mention"] else tag_name(found["tag"])
        if value is None or (value not in seen[kind] and len(seen[kind]) >= MOST_OF_A_KIND):
            continue
        seen[kind].add(value)
        yield _token("text", text[start : found.start()])
        yield _token(kind, found[0], value)
        start = found.end()
    yield _token("text", text[start:end])


def _token(kind: str, content: str, value: str = "") -> Token:
    return Token(kind, "", 0, content=content, meta={"value": value})


def _closed_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take for code only what is closed again, and opened by one word at most.

    CommonMark lets an open fence run to the end and hides its first line, so "```oops" alone
    would show nothing of what somebody wrote.
    """
    opening = _FENCE.fullmatch(state.src, state.bMarks[start], state.eMarks[start])
    if not opening:
        return False
    if "fence_ends" not in state.env:
        state.env["fence_ends"] = _fence_ends(state)
    if len(opening["marks"]) > state.env["fence_ends"][start + 1]:
        return False
    return _fence(state, start, end, silent)


def _fence_ends(state: StateBlock) -> list[int]:
    """The longest closing fence at or below each line, found once: no opening searches again."""
    longest = [0] * (state.lineMax + 2)
    for line in reversed(range(state.lineMax)):
        found = _FENCE.fullmatch(state.src, state.bMarks[line], state.eMarks[line])
        closes = len(found["marks"]) if found and not found["language"] else 0
        longest[line] = max(closes, longest[line + 1])
    return longest


def _shown(text: str, env: dict[str, Any]) -> str:
    """Escape a text, with its marked parts in `mark`."""
    if env.get("marked") is None:
        return escape(text)
    made, position = [], 0
    for start, end in env["marked"](text):
        made += [escape(text[position:start]), f"<mark>{escape(text[start:end])}</mark>"]
        position = end
    return "".join([*made, escape(text[position:])])


def _text_html(_: object, tokens: Sequence[Token], at: int, __: object, env: dict[str, Any]) -> str:
    return _shown(tokens[at].content, env)


def _code_html(_: object, tokens: Sequence[Token], at: int, __: object, env: dict[str, Any]) -> str:
    return f"<code>{_shown(tokens[at].content, env)}</code>"


def _fence_html(
    _: object, tokens: Sequence[Token], at: int, __: object, env: dict[str, Any]
) -> str:
    return f"<pre><code>{_shown(tokens[at].content, env)}</code></pre>\n"


def _link_html(_: object, tokens: Sequence[Token], at: int, __: object, env: dict[str, Any]) -> str:
    address = _ADDRESS.match(tokens[at].content)
    shown = tokens[at].content
    if address and address.end() < len(shown):
        shown = f"{address[0]}…"
    address_html, shown_html = escape(tokens[at].meta["value"]), _shown(shown, env)
    return f'<a href="{address_html}" rel="{OUTBOUND_REL}">{shown_html}</a>'


def _mention_html(
    _: object, tokens: Sequence[Token], at: int, __: object, env: dict[str, Any]
) -> str:
    name = tokens[at].meta["value"]
    if env["known"] is not None and name not in env["known"]:
        return _shown(tokens[at].content, env)
    shown = _shown(tokens[at].content, env)
    return _inner_link("mention", env["mention_url"](name), shown)


def _tag_html(_: object, tokens: Sequence[Token], at: int, __: object, env: dict[str, Any]) -> str:
    shown = _shown(tokens[at].content, env)
    return _inner_link("hashtag", env["tag_url"](tokens[at].meta["value"]), shown)


def _inner_link(css_class: str, url: str, shown: str) -> str:
    return f'<a class="{css_class}" href="{escape(url)}">{shown}</a>'


def _make_markdown() -> MarkdownIt:
    """Make a parser that knows paragraphs, line breaks and code, and nothing else of Markdown."""
    markdown = MarkdownIt("zero", {"html": False, "breaks": True})
    markdown.enable(["newline", "backticks", "fence"])
    markdown.block.ruler.at("fence", _closed_fence, {"alt": ["paragraph"]})
    markdown.core.ruler.after("text_join", "annotate", _annotate)
    markdown.add_render_rule("text", _text_html)
    markdown.add_render_rule("code_inline", _code_html)
    markdown.add_render_rule("fence", _fence_html)
    markdown.add_render_rule("link", _link_html)
    markdown.add_render_rule("mention", _mention_html)
    markdown.add_render_rule("tag", _tag_html)
    return markdown


_fence = make_fence_rule(markers=("`",))
_markdown = _make_markdown()

# Should the parser or our rules ever let something through, this still does not.
_second_wall = nh3.Cleaner(
    tags={"a", "br", "code", "mark", "p", "pre"},
    attributes={"a": {"href"}},
    allowed_classes={"a": {"hashtag", "mention"}},
    tag_attribute_values={"a": {"rel": {OUTBOUND_REL}}},
    url_schemes={"http", "https"},
    link_rel=None,
)
