"""One contract for all translators, each spoken to in its own wire format by a fake of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from microblog.backends.translator import Translator, open_translator
from microblog.core.errors import Invalid, MicroblogError, NotFound, ServiceFailed, Unavailable
from microblog.settings import Settings
from tests.fake_translator import (
    BUSY,
    KEY,
    QUOTA,
    REFUSALS,
    WRONG_KEY,
    FakeTranslator,
    fake_translator,
)

LINES = ['안녕 <code id="k1" class="notranslate" translate="no">@mina</code>', "좋아요 &lt;3"]


@pytest.fixture(autouse=True)
def all_logs() -> Iterator[None]:
    """Log everything, whatever level an application of another test has set."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


@pytest.fixture(params=sorted(REFUSALS))
def fake(request: pytest.FixtureRequest) -> Iterator[FakeTranslator]:
    with fake_translator(request.param) as opened:
        yield opened


@pytest.fixture
async def translator(fake: FakeTranslator) -> AsyncIterator[Translator]:
    opened = open_translator(Settings(**fake.settings))
    yield opened
    await opened.close()


async def refusal(translator: Translator, target: str = "en") -> MicroblogError:
    with capture_logs() as logs, pytest.raises(MicroblogError) as caught:
        await translator.translate(LINES, "ko", target)
    (line,) = logs
    assert line["event"] == "translator.failed"
    assert KEY not in str(logs)
    assert "안녕" not in str(logs)
    return caught.value


async def test_lines_come_back_translated_in_their_order(
    fake: FakeTranslator, translator: Translator
) -> None:
    answer = await translator.translate(LINES, "ko", "en")
    assert answer.lines == tuple(f"en: {line}" for line in LINES)
    assert answer.source == "ko"
    assert translator.name == fake.service
    assert len(fake.asked) == 1


async def test_language_that_nobody_named_is_found_out(translator: Translator) -> None:
    assert (await translator.translate(LINES, None, "en")).source == "ko"


async def test_every_language_has_the_name_that_the_service_gives_it(
    fake: FakeTranslator, translator: Translator
) -> None:
    answer = await translator.translate(LINES, "en", "zh")
    assert answer.lines[0].startswith("zh")


@pytest.mark.parametrize(
    ("mood", "kind", "words"),
    [
        (BUSY, Unavailable, "takes no more texts just now"),
        (QUOTA, Unavailable, "quota"),
        (WRONG_KEY, ServiceFailed, "look at the key"),
        (500, Unavailable, "cannot be reached"),
        (503, Unavailable, "cannot be reached"),
        (302, ServiceFailed, "cannot be used"),
        (400, ServiceFailed, "cannot be used"),
        (404, ServiceFailed, "cannot be used"),
        (b"<html>", ServiceFailed, "cannot be used"),
        (b"\xff", ServiceFailed, "cannot be used"),
        (b"", ServiceFailed, "cannot be used"),
        (b"[" * 100_000, ServiceFailed, "cannot be used"),
        (b"[]", ServiceFailed, "cannot be used"),
        (b"{}", ServiceFailed, "cannot be used"),
        (b"null", ServiceFailed, "cannot be used"),
        (b'{"translatedText": "ab", "translations": [{"text": "a"}]}', ServiceFailed, "be used"),
        (b'[{"translations": [{"text": "one too few"}]}]', ServiceFailed, "cannot be used"),
        (b'"' + b"x" * 2_000_000 + b'"', Unavailable, "cannot be reached"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_refusal_and_nonsense_are_told_as_what_they_are(
    fake: FakeTranslator, translator: Translator, mood: Any, kind: type[Exception], words: str
) -> None:
    if isinstance(mood, str) and mood not in REFUSALS[fake.service]:
        return  # LibreTranslate has no quota
    fake.mood = mood
    told = await refusal(translator)
    assert type(told) is kind
    assert words in str(told)
    if mood == BUSY:
        assert isinstance(told, Unavailable)
        assert told.retry_after_seconds == 7
    assert len(fake.asked) == 1, "a redirect is not followed"


async def test_service_that_is_away_is_told_so(
    fake: FakeTranslator, translator: Translator
) -> None:
    fake.close()
    assert "cannot be reached" in str(await refusal(translator))


async def test_slow_service_is_given_up(fake: FakeTranslator) -> None:
    fake.may_answer.clear()
    translator = open_translator(Settings(**fake.settings | {"translator_timeout_seconds": 1}))
    async with asyncio.timeout(20):
        told = await refusal(translator)
    assert isinstance(told, Unavailable)
    await translator.close()


async def test_pair_that_the_service_does_not_know_is_refused_by_its_field(
    translator: Translator,
) -> None:
    told = await refusal(translator, "sw")
    assert isinstance(told, Invalid)
    assert list(told.errors) == ["to"]


async def test_without_a_service_nothing_can_be_translated() -> None:
    translator = open_translator(Settings())
    assert translator.name == "none"
    with pytest.raises(NotFound, match="no translation service"):
        await translator.translate(LINES, "ko", "en")
    await translator.close()


async def test_key_and_region_go_where_the_service_wants_them_and_nowhere_else() -> None:
    for service, place in (
        ("libretranslate", "body"),
        ("deepl", "headers"),
        ("azure", "headers"),
    ):
        with fake_translator(service) as fake:
            made = Settings(**fake.settings, translator_region="koreacentral")
            translator = open_translator(made)
            await translator.translate(LINES, "ko", "en")
            await translator.close()
            (asked,) = fake.asked
        assert KEY in json.dumps(asked[place])
        assert KEY not in asked["path"]
        assert ("koreacentral" in json.dumps(asked["headers"])) == (service == "azure")


@pytest.mark.parametrize(
    ("key", "host"), [("some-key:fx", "api-free.deepl.com"), ("some-key", "api.deepl.com")]
)
async def test_free_key_of_deepl_has_an_address_of_its_own(key: str, host: str) -> None:
    translator: Any = open_translator(Settings(translator="deepl", translator_key=key))
    assert translator._service._address == f"https://{host}"
    await translator.close()
