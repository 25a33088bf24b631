"""Which translator the settings ask for, and what is said where something is missing."""

import pytest

from microblog.settings import Settings
from tests.test_settings import refusal

URL, KEY = "MICROBLOG_TRANSLATOR_URL", "MS_TRANSLATOR_KEY"


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, "none"),
        ({URL: "http://127.0.0.1:5000/"}, "libretranslate"),
        ({URL: "http://127.0.0.1:5000", KEY: "a-key"}, "libretranslate"),
        ({KEY: "a-key"}, "azure"),
        ({KEY: "a-key", "MICROBLOG_TRANSLATOR": "DeepL"}, "deepl"),
        ({KEY: "a-key", URL: "http://a", "MICROBLOG_TRANSLATOR": "none"}, "none"),
    ],
)
def test_translator_is_the_one_that_is_named_or_fits(environ: dict[str, str], chosen: str) -> None:
    assert Settings.from_env(environ).translator_in_use == chosen


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("libretranslate", "MICROBLOG_TRANSLATOR_URL"),
        ("deepl", "MICROBLOG_TRANSLATOR_KEY"),
        ("azure", "MICROBLOG_TRANSLATOR_KEY"),
    ],
)
def test_translator_without_what_it_needs_is_refused(name: str, missing: str) -> None:
    told = refusal({"MICROBLOG_TRANSLATOR": name})
    assert told == f"MICROBLOG_TRANSLATOR is '{name}', and {missing} is not set."


def test_key_is_told_by_no_refusal() -> None:
    assert "geheim" not in refusal({KEY: "geheim geheim"})


def test_slash_at_the_end_of_an_address_is_left_out() -> None:
    assert Settings(translator_url="https://a.example/lt/").translator_url == "https://a.example/lt"
