"""Azure AI Translator, version 3.0, which the tutorial calls Microsoft Translator
(https://learn.microsoft.com/azure/ai-services/translator/reference/v3-0-translate).
"""

from collections.abc import Sequence

from microblog.backends.translator import Translated
from microblog.backends.translator.service import BUSY, NOT_LET_IN, SPENT, Service
from microblog.core.languages import known
from microblog.settings import Settings

ADDRESS = "https://api.cognitive.microsofttranslator.com"
MEANINGS = {401: NOT_LET_IN, 403: SPENT, 429: BUSY}
_THEIR_NAMES = {"zh": "zh-Hans", "sr": "sr-Cyrl"}


class Azure:
    """Translates by Azure."""

    name = "azure"

    def __init__(self, settings: Settings) -> None:
        headers = {"Ocp-Apim-Subscription-Key": settings.translator_key or ""}
        if settings.translator_region:
            headers["Ocp-Apim-Subscription-Region"] = settings.translator_region
        address = settings.translator_url or ADDRESS
        self._service = Service(self.name, address, settings.translator_timeout_seconds, headers)

    async def translate(self, lines: Sequence[str], source: str | None, target: str) -> Translated:
        asked = {"api-version": "3.0", "textType": "html", "to": _THEIR_NAMES.get(target, target)}
        if source:
            asked["from"] = _THEIR_NAMES.get(source, source)
        body = [{"Text": line} for line in lines]
        answer = await self._service.ask("/translate", body, MEANINGS, params=asked)
        try:
            found = tuple(str(one["translations"][0]["text"]) for one in answer)
            detected = source or known(str(answer[0]["detectedLanguage"]["language"]))
        except (KeyError, IndexError, TypeError) as error:
            raise self._service.unusable() from error
        if len(found) != len(lines):
            raise self._service.unusable()
        return Translated(found, detected or "und")

    async def close(self) -> None:
        await self._service.close()
