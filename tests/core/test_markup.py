"""What a post refers to, and how it is shown. That it is shown safely: `test_markup_safety`."""

import re
from collections.abc import Collection
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import markup


def render(text: str, known: Collection[str] | None = None) -> str:
    return markup.render(text, lambda name: f"/user/{name}", lambda tag: f"/tag/{tag}", known)


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


# --- mentions


def test_korean_particle_stays_outside_the_mention() -> None:
    assert render("@mina가 왔다") == '<p><a class="mention" href="/user/mina">@mina</a>가 왔다</p>'
    assert markup.parse("@mina가 왔다").mentions == ("mina",)


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("@mina", ("mina",)),
        (".@mina, @Jun_2!", ("mina", "jun_2")),
        ("안녕@mina", ("mina",)),
        ("(@mina)", ("mina",)),
        ("@mina @MINA", ("mina",)),
        ("@jun\n@mina", ("jun", "mina")),
        ("@mina.", ("mina",)),
        ("`code` @mina", ("mina",)),
        ("@" + "a" * 30, ("a" * 30,)),
    ],
)
def test_mention_is_found(text: str, mentions: tuple[str, ...]) -> None:
    assert markup.parse(text).mentions == mentions


@pytest.mark.parametrize(
    "text",
    [
        "mina@example.com",
        "한글@example.com",
        "@mina@other.example",
        "@@mina",
        "@1mina",
        "@ab",
        "@" + "a" * 31,
        "@미나",
        "https://example.com/@mina",
        "https://bank.example@mina/@mina",
        "example.com/@mina",
        "`@mina`",
        "```\n@mina\n```",
    ],
)
def test_part_of_another_thing_is_no_mention(text: str) -> None:
    assert markup.parse(text).mentions == ()
    assert "/user/" not in render(text)


def test_only_known_people_are_linked() -> None:
    html = render("@Mina @nobody", known={"mina"})

    assert html == '<p><a class="mention" href="/user/mina">@Mina</a> @nobody</p>'


# --- hashtags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#태그", ("태그",)),
        ("#한글, 다음", ("한글",)),
        ("#한글은", ("한글은",)),
        ("#맛집#서울#점심", ("맛집", "서울", "점심")),
        ("#Python #PYTHON #Ｐｙｔｈｏｎ", ("python",)),
        ("#Straße", ("strasse",)),
        ("#a_1 #2025년", ("a_1", "2025년")),
        ("#हिन्दी", ("हिन्दी",)),
        ("(#tag)", ("tag",)),
        ("@mina#tag", ("tag",)),
        ("#" + "가" * 50, ("가" * 50,)),
    ],
)
def test_hashtag_is_found(text: str, tags: tuple[str, ...]) -> None:
    assert markup.parse(text).tags == tags


@pytest.mark.parametrize(
    "text",
    [
        "#1",
        "#2025",
        "#__",
        "# tag",
        "C#x",
        "한글#태그",
        "&#x27;",
        "##tag",
        "/#tag",
        "https://example.com/#tag",
        "`#tag`",
        "```\n#tag\n```",
        "#" + "가" * 51,
        "#ﷺ",
        "#" + "ﬃ" * 40,
    ],
)
def test_other_text_behind_a_hash_is_no_tag(text: str) -> None:
    assert markup.parse(text).tags == ()
    assert "/tag/" not in render(text)


def test_tag_links_to_its_one_name_and_shows_what_was_typed() -> None:
    assert (
        render("#Ｐｙｔｈｏｎ") == '<p><a class="hashtag" href="/tag/python">#Ｐｙｔｈｏｎ</a></p>'
    )


@given(st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=50))
def test_name_of_a_tag_is_its_own_name(text: str) -> None:
    name = markup.tag_name(text)

    assert name is None or (markup.tag_name(name) == name and len(name) <= markup.LONGEST_TAG)


@pytest.mark.parametrize("text", ["", "a b", "#a", "a/b", "1", "a" * 51, "a\n"])
def test_what_cannot_be_a_tag_has_no_name(text: str) -> None:
    assert markup.tag_name(text) is None


def test_twenty_people_and_tags_are_linked_and_no_more() -> None:
    text = " ".join(f"@user{n} #tag{n}" for n in range(30)) + " @user0 #tag0"
    parsed = markup.parse(text)

    assert parsed.mentions == tuple(f"user{n}" for n in range(20))
    assert parsed.tags == tuple(f"tag{n}" for n in range(20))
    assert render(text).count("<a ") == 42


# --- links


def test_outbound_link_gives_nothing_away() -> None:
    assert render("https://example.com/a?b=1&c=2") == (
        '<p><a href="https://example.com/a?b=1&amp;c=2" rel="nofollow noopener noreferrer ugc">'
        "https://example.com/a?b=1&amp;c=2</a></p>"
    )


def test_particle_stays_outside_the_link() -> None:
    assert render("https://example.com입니다").endswith(">https://example.com</a>입니다</p>")


def test_long_link_is_shown_shortened_with_its_host_in_full() -> None:
    address = "https://a.very.long.host.example.com/" + "x" * 100
    html = render(address)

    assert f' href="{address}" ' in html
    assert shown(html) == "https://a.very.long.host.example.com/" + "x" * 29 + "…"


def test_international_link_leads_to_its_encoded_form() -> None:
    assert markup.parse("https://한국.kr/서울").links == (
        "https://xn--3e0b707e.kr/%EC%84%9C%EC%9A%B8",
    )


def test_address_that_hides_its_host_is_not_linked() -> None:
    text = "https://bank.example@evil.example/"

    assert render(text) == f"<p>{text}</p>"
    assert markup.parse(text).links == ()


# --- lines and code


def test_lines_and_paragraphs_are_kept() -> None:
    assert render("a\nb\n\nc") == "<p>a<br>\nb</p>\n<p>c</p>"


def test_code_is_kept_as_it_is() -> None:
    assert render("`<b> @mina`") == "<p><code>&lt;b&gt; @mina</code></p>"
    assert render("```python\nif x:\n    #y\n```\n끝") == (
        "<pre><code>if x:\n    #y\n</code></pre>\n<p>끝</p>"
    )


@pytest.mark.parametrize("text", ["```oops", "```oops\nmore", "```\nfoo", "```two words\nx"])
def test_fence_that_is_not_closed_hides_nothing(text: str) -> None:
    assert shown(render(text)) == text


def test_shorter_fence_does_not_close_a_longer_one() -> None:
    assert render("````\n```\n````") == "<pre><code>```\n</code></pre>"


@pytest.mark.parametrize(
    "text",
    [
        "**a** _b_ ~~c~~",
        r"\*a\* C:\new\table",
        "# a",
        "1. a",
        "- a",
        "> a",
        "[a](https://)",
        "![a](b)",
        "&amp; &#39;",
        "<b>a</b>",
        "<https:>",
        "a | b",
        "---",
        "[a]: b",
    ],
)
def test_other_markdown_is_shown_as_typed(text: str) -> None:
    assert shown(render(text)) == text
