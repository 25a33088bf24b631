"""What clients call themselves, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microblog.core.clients import LONGEST_PROGRAM, Client, describe

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name", "system"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/120.0 Safari/537.36", "Chrome", "Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/120.0 Edg/120.0", "Edge", "Windows"),
        (f"Mozilla/5.0 (Linux; Android 14) {WEBKIT} Chrome/120.0 Mobile", "Chrome", "Android"),
        (f"Mozilla/5.0 (X11; Linux) {WEBKIT} Chrome/120.0 Whale/3.24", "Whale", "Linux"),
        (f"Mozilla/5.0 (Linux) {WEBKIT} SamsungBrowser/23.0 Chrome/1", "Samsung Internet", "Linux"),
        ("Mozilla/5.0 (Macintosh; Mac OS X 14) Version/17.0 Safari/605.1", "Safari", "macOS"),
        ("Mozilla/5.0 (iPhone; like Mac OS X) Version/17.0 Mobile Safari/1", "Safari", "iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "Firefox", "Linux"),
        ("Mozilla/5.0 (PlayStation)", "", ""),
        ("python-httpx/0.27", "python-httpx", ""),
        ("microblog reader", "microblog reader", ""),
        ("", "", ""),
        ("\x00<script>", "", ""),
    ],
)
def test_client_is_told_in_words(user_agent: str, name: str, system: str) -> None:
    assert describe(user_agent) == Client(name, system)


@given(st.text(max_size=60))
def test_whatever_a_client_says_becomes_a_short_line(user_agent: str) -> None:
    told = describe(user_agent)
    assert len(told.name) <= LONGEST_PROGRAM
    assert told.name.isprintable()
