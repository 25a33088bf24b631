"""What guesses languages: loaded once, and nobody's post depends on it."""

from dataclasses import replace

import pytest
from quart import Quart
from structlog.testing import capture_logs

from microblog import create_app, runtime
from microblog.edge import authoring
from microblog.runtime import EXTENSION
from microblog.settings import Settings

ENGLISH, KOREAN = "See you at the library", "도서관에서 봐요"


async def guessed(app: Quart, text: str) -> str | None:
    async with app.test_request_context("/"):
        return await authoring.language_of(text, None)


async def test_nothing_is_loaded_before_somebody_writes(app: Quart) -> None:
    client = app.test_client()
    await client.get("/explore")
    await client.get("/")
    assert app.extensions[EXTENSION].guessing is None
    assert await guessed(app, ENGLISH) == "en"
    assert app.extensions[EXTENSION].guessing is not None


async def test_without_the_words_scripts_are_still_told_apart(settings: Settings) -> None:
    app = create_app(replace(settings, guess_languages=False))
    async with app.test_app():
        assert await guessed(app, ENGLISH) is None
        assert await guessed(app, KOREAN) == "ko"


async def test_model_that_cannot_be_loaded_keeps_nobody_from_writing(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(runtime, "open_guesser", broken)
    with capture_logs() as logs:
        assert await guessed(app, ENGLISH) is None
        assert await guessed(app, KOREAN) == "ko"
    assert [line["event"] for line in logs] == ["guesser.failed"]
