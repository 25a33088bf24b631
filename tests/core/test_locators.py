"""Where `next` may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core.locators import LONGEST_TARGET, safe_next


@pytest.mark.S9
@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/explore",
        "/user/mina",
        "/user/mina/",
        "/tag/한글",
        "/tag/%ED%95%9C%EA%B8%80",
        "/search?q=http://example.com/%20x&p=1",
        "/search?q=hello%20world#results",
        "/search?q=//x/../y",
        "/post/1#reply",
        "/@mina",
        "/a:b",
        "/a%25b",
        "/.well-known/x",
        "/?",
        "/" + "a" * (LONGEST_TARGET - 1),
    ],
)
def test_path_of_this_site_is_followed(target: str) -> None:
    assert safe_next(target) == target


@pytest.mark.S9
@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        " ",
        "explore",
        "?next=/x",
        "#x",
        "https://evil.example",
        "HTTPS://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "mailto:a@evil.example",
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "//evil.example/%2f..",
        "//user@evil.example",
        "//@evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/\\/evil.example",
        "/x\\..\\..\\evil",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r/evil.example",
        "/\x00/evil.example",
        "\t//evil.example",
        " //evil.example",
        " /explore",
        "/explore ",
        "/explore\r\nSet-Cookie: a=b",
        "/a?b=\r\nc",
        "/a?b\\c",
        "/%09/evil.example",
        "/%0a/evil.example",
        "/%0d%0aLocation:%20x",
        "/%00/x",
        "/%20/x",
        "/%2f%2fevil.example",
        "/%2fevil.example",
        "/%2Fevil.example",
        "/%252fevil.example",
        "/%25252fevil.example",
        "/%2525252525252fevil.example",
        "/%5cevil.example",
        "/%255cevil.example",
        "%2f%2fevil.example",
        "/..//evil.example",
        "/../evil",
        "/a/../b",
        "/a/..",
        "/.",
        "/./evil",
        "/%2e%2e//evil.example",
        "/%2e%2e/evil",
        "/a//b",
        "/\u200b..//evil.example",
        "/\u200b/evil.example",
        "/\u00a0/evil.example",
        "/\u3000/evil.example",
        "/\u202e/evil.example",
        "/\ufeff/evil.example",
        "/／evil.example",
        "/＼evil.example",
        "／／evil.example",
        "/%ef%bc%8fevil.example",
        "/%c0%af/evil.example",
        "/\ud800",
        "/" + "a" * LONGEST_TARGET,
        "/" + "a/" * 5_000_000,
    ],
)
def test_trick_leads_home_instead(target: str | None) -> None:
    assert safe_next(target) == "/"


@pytest.mark.S9
def test_fallback_is_where_the_caller_says() -> None:
    assert safe_next("//evil.example", fallback="/explore") == "/explore"


@pytest.mark.S9
@given(st.text(st.sampled_from("/\\.:@%25fF2eEcC09aA \t\n?#x／\u200b"), max_size=30))
def test_whatever_is_followed_is_one_slash_and_a_segment(rest: str) -> None:
    target = safe_next("/" + rest, fallback="/home")

    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert not {"\\", "\t", "\n", " "} & set(target)
