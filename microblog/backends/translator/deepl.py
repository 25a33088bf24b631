"""DeepL (https://developers.deepl.com/docs/api-reference/translate)."""

from collections.abc import Sequence
from typing import Any

from microblog.backends.translator import Translated
from microblog.backends.translator.service import BUSY, NOT_LET_IN, SPENT, Service
from microblog.core.languages import known
from microblog.settings import Settings

ADDRESS, FREE_ADDRESS = "https://api.deepl.com", "https://api-free.deepl.com"
FREE_KEY = ":fx"
MEANINGS = {401: NOT_LET_IN, 403: NOT_LET_IN, 429: BUSY, 456: SPENT, 529: BUSY}
_TARGETS = {"en": "EN-US", "pt": "PT-PT", "zh": "ZH-HANS"}  # without a country they are outdated


class DeepL:
    """Translates by DeepL."""

    name = "deepl"

    def __init__(self, settings: Settings) -> None:
        key = settings.translator_key or ""
        usual = FREE_ADDRESS if key.endswith(FREE_KEY) else ADDRESS
        self._service = Service(
            self.name,
            settings.translator_url or usual,
            settings.translator_timeout_seconds,
            {"Authorization": f"DeepL-Auth-Key {key}"},
        )

    async def translate(self, lines: Sequence[str], source: str | None, target: str) -> Translated:
        body: dict[str, Any] = {"text": list(lines), "tag_handling": "html"}
        body["target_lang"] = _TARGETS.get(target, target.upper())
        if source:
            body["source_lang"] = source.upper()
        answer = await self._service.ask("/v2/translate", body, MEANINGS)
        try:
            found = tuple(str(one["text"]) for one in answer["translations"])
            first = answer["translations"][0]
            detected = source or known(str(first["detected_source_language"]))
        except (KeyError, IndexError, TypeError) as error:
            raise self._service.unusable() from error
        if len(found) != len(lines):
            raise self._service.unusable()
        return Translated(found, detected or "und")

    async def close(self) -> None:
        await self._service.close()
