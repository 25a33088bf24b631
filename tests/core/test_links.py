"""Where addresses begin and end, above all where Korean goes on right behind them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core import links


def found(text: str) -> list[str]:
    return [text[link.start : link.end] for link in links.find(text)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.com", "https://example.com"),
        ("HTTP://EXAMPLE.com/A", "HTTP://EXAMPLE.com/A"),
        ("see https://example.com.", "https://example.com"),
        ("(https://example.com/b_(c)) x", "https://example.com/b_(c)"),
        ("http://localhost:5000/x", "http://localhost:5000/x"),
        ("https://203.0.113.7/x?y=1#z", "https://203.0.113.7/x?y=1#z"),
        ("https://mastodon.social/@user", "https://mastodon.social/@user"),
        ("링크https://example.com", "https://example.com"),
        ("https://example.com`code`", "https://example.com"),
        ("https://example.com<b>", "https://example.com"),
    ],
)
def test_address_with_a_scheme_is_found(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "www.example.com",
        "//example.com",
        "ftp://example.com",
        "mailto:mina@example.com",
        "javascript://example.com/%0aalert(1)",
        "xhttps://example.com",
        "https://",
        "https:// example.com",
        "https:///path",
    ],
)
def test_other_text_is_no_link(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.com입니다", "https://example.com"),
        ("https://example.com에서.그리고", "https://example.com"),
        ("https://example.com:8080입니다", "https://example.com:8080"),
        ("http://localhost:5000입니다", "http://localhost:5000"),
        ("http://localhost입니다", "http://localhost"),
        ("https://한국.kr입니다", "https://한국.kr"),
        ("https://www.lg전자.kr입니다", "https://www.lg전자.kr"),
        ("https://example.com谢谢", "https://example.com"),
        ("https://example.comをどうぞ", "https://example.com"),
    ],
)
def test_sentence_behind_a_host_stays_outside(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "address",
    ["https://한국.kr", "https://한국.한국", "https://lg전자.kr/노래", "https://例え.テスト/あ"],
)
def test_international_host_is_linked_whole(address: str) -> None:
    assert found(address) == [address]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.com/path에서 봤다", "https://example.com/path"),
        ("https://example.com/에서", "https://example.com/"),
        ("https://example.com/?q=5를", "https://example.com/?q=5"),
        ("https://example.com/a.png입니다.", "https://example.com/a.png"),
        ("https://203.0.113.7에서", "https://203.0.113.7"),
    ],
)
def test_particle_behind_a_latin_path_stays_outside(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "address",
    [
        "https://ko.wikipedia.org/wiki/서울",
        "https://ko.wikipedia.org/wiki/이",
        "https://ko.wikipedia.org/wiki/서울에서",
        "https://ko.wikipedia.org/wiki/SBS노래",
        "https://example.com/?q=가",
        "https://example.com/path에서/이어서",
    ],
)
def test_korean_path_is_linked_whole(address: str) -> None:
    assert found(address) == [address]


def test_address_with_a_user_name_is_not_safe() -> None:
    text = "https://bank.example@evil.example/x https://example.com/@mina"

    assert [link.safe for link in links.find(text)] == [False, True]


@pytest.mark.parametrize("host", ["\u200d", "exam\u00adple.com", "\u200bexample.com"])
def test_address_with_an_invisible_letter_in_its_host_is_not_safe(host: str) -> None:
    assert [link.safe for link in links.find(f"https://{host}/x")] == [False]


def test_longest_link_is_found_and_a_longer_one_is_not() -> None:
    longest = "https://example.com/".ljust(links.LONGEST_LINK, "a")

    assert found(longest) == [longest]
    assert found(longest + "a") == []


@given(st.text(st.sampled_from("htps:/.@?#가에서com한국 kr()'\"-!,[]x1"), max_size=80))
def test_links_follow_one_another_and_begin_with_a_scheme(text: str) -> None:
    position = 0
    for link in links.find("http://" + text):
        assert link.start >= position
        position = link.end
        address = ("http://" + text)[link.start : link.end]
        assert address.lower().startswith(("http://", "https://"))
        assert not any(letter.isspace() for letter in address)


@pytest.mark.parametrize(
    "unit",
    ["http://", "http://a/( ", "http://a/(", "http://a.", "http://a/'", "http://x:y@", ".co가"],
)
def test_twenty_kilobytes_of_half_addresses_are_searched_at_once(unit: str) -> None:
    text = ("http://" + unit * 20_000)[:20_000]
    before = time.thread_time()

    sum(1 for _ in links.find(text))

    assert time.thread_time() - before < 0.5
