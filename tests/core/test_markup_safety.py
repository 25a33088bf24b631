"""Whatever somebody writes, its HTML is balanced, harmless, whole, and soon there."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import markup
from microblog.core import text as texts

ALLOWED = {
    "p": set(),
    "br": set(),
    "pre": set(),
    "code": set(),
    "a": {"href", "rel", "class"},
}
HOSTILE = st.lists(
    st.sampled_from(
        [
            *"<>&\"'`@#/\\:[]()*_!~=-. \n\t가é\u200d",
            *("<script>", "</p>", "javascript:", "data:", "https://", "example.com", "@mina"),
            *(
                "#태그",
                "```",
                "~~~",
                "<!--",
                "]]>",
                "&#60;",
                "&lt;",
                "onclick=",
                "\u202e",
                "![x](y)",
            ),
        ]
    ),
    max_size=60,
).map("".join)


def render(text: str) -> str:
    return markup.render(text, lambda name: f"/user/{name}", lambda tag: f"/tag/{tag}", None)


class Page(HTMLParser):
    """Read HTML back, and fail where it is unbalanced or holds what is not allowed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= ALLOWED[tag]
        if tag == "a":
            self.links.append(dict(attrs))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
        "javascript:alert(1)",
        "`</code><script>alert(1)</script>`",
        "```\n</code></pre><script>alert(1)</script>\n```",
        '```"onmouseover=alert(1)\nx\n```',
        "<svg/onload=alert(1)>",
        "<!--<script>-->",
    ],
)
def test_hostile_text_becomes_harmless_text(text: str) -> None:
    html = render(text)

    assert Page(html).links == []
    assert "<script" not in html


def test_link_that_breaks_out_of_its_attribute_stays_in_it() -> None:
    assert Page(render('https://example.com/"onclick="alert(1)')).links[0].keys() == {"href", "rel"}


def test_second_wall_holds_when_a_url_is_hostile() -> None:
    html = markup.render("@mina", lambda _: "javascript:alert(1)", lambda _: "", None)

    assert html == '<p><a class="mention">@mina</a></p>'


@given(HOSTILE | st.text(st.characters(), max_size=200))
def test_html_is_balanced_and_holds_only_what_is_allowed(text: str) -> None:
    for link in Page(render(texts.clean(text))).links:
        if link.get("class") is None:
            # The second wall takes the address away where no browser could follow it: "xn--a".
            assert (link.get("href") or "https://").startswith(("http://", "https://"))
            assert link["rel"] == markup.OUTBOUND_REL


@given(
    st.lists(
        st.sampled_from([*"ab가é<>&\"'@#.,:()*_\\ \n", "@mina", "#태그", "https://a.co", "&lt;"]),
        max_size=60,
    ).map("".join)
)
def test_text_without_code_is_shown_whole(text: str) -> None:
    assert squeezed(Page(render(text)).text) == squeezed(text)


@given(HOSTILE)
def test_what_is_linked_is_what_was_parsed(text: str) -> None:
    parsed = markup.parse(text)
    classes = [link.get("class") for link in Page(render(text)).links]

    assert ("mention" in classes) == bool(parsed.mentions)
    assert ("hashtag" in classes) == bool(parsed.tags)
    assert (None in classes) == bool(parsed.links)


@pytest.mark.parametrize(
    "unit",
    [
        *"@`[h<&#*\n ",
        *("```a\n", "```\n", "`a``b", "#a", "@aaa ", "http://", "http://a/( ", "http://a.", "🇰🇷"),
        *("https://example.com ", "a\n\n", "\\`", "#가#"),
    ],
)
def test_twenty_kilobytes_of_anything_are_rendered_at_once(unit: str) -> None:
    text = unit * (20_000 // len(unit.encode()))
    before = time.thread_time()

    render(text)

    assert time.thread_time() - before < 0.5
