"""LibreTranslate (https://docs.libretranslate.com/api/operations/translate/): free, self-hosted."""

from collections.abc import Sequence
from typing import Any

from microblog.backends.translator import Translated
from microblog.backends.translator.service import BUSY, NOT_LET_IN, Service
from microblog.core.languages import known
from microblog.settings import Settings

MEANINGS = {401: NOT_LET_IN, 403: NOT_LET_IN, 429: BUSY}
_THEIR_NAMES = {"fil": "tl"}


class LibreTranslate:
    """Translates by a LibreTranslate server."""

    name = "libretranslate"

    def __init__(self, settings: Settings) -> None:
        address = str(settings.translator_url)
        self._service = Service(self.name, address, settings.translator_timeout_seconds, {})
        self._key = settings.translator_key

    async def translate(self, lines: Sequence[str], source: str | None, target: str) -> Translated:
        body: dict[str, Any] = {"q": list(lines), "format": "html"}
        body["source"] = _THEIR_NAMES.get(source, source) if source else "auto"
        body["target"] = _THEIR_NAMES.get(target, target)
        if self._key:
            body["api_key"] = self._key
        answer = await self._service.ask("/translate", body, MEANINGS)
        try:
            found = tuple(str(line) for line in answer["translatedText"])
            detected = source or known(answer["detectedLanguage"][0]["language"])
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise self._service.unusable() from error
        if isinstance(answer["translatedText"], str) or len(found) != len(lines):
            raise self._service.unusable()
        return Translated(found, detected or "und")

    async def close(self) -> None:
        await self._service.close()
