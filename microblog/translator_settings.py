"""What the owner can set of the service that translates posts. See `settings`."""

from dataclasses import dataclass

from microblog import variables
from microblog.core.errors import SettingError
from microblog.variables import Spelt, setting, whole

TRANSLATORS = ("auto", "none", "libretranslate", "deepl", "azure")


@dataclass(frozen=True, kw_only=True)  # without slots it can stand beside another such part
class TranslatorSettings(Spelt):
    """The part of the settings that is about translation: without any, nobody is asked."""

    translator: str = setting(
        "auto",
        variables.one_of(*TRANSLATORS),
        "libretranslate",
        "Who translates posts. auto: libretranslate where its address is set, azure where only a "
        "key is, else none.",
    )
    translator_url: str | None = setting(
        None,
        variables.address,
        "https://translate.example.org",
        "The address of the translation service. DeepL and Azure have one of their own.",
    )
    translator_key: str | None = setting(
        None,
        variables.key,
        "the-key-that-the-service-gave-you",
        "The key for the translation service.",
        "MS_TRANSLATOR_KEY",
        hidden=True,
    )
    translator_region: str | None = setting(
        None,
        variables.word,
        "koreacentral",
        "The region of an Azure key, where it is bound to one.",
        "MS_TRANSLATOR_REGION",
    )
    translator_timeout_seconds: int = setting(
        10, whole(1, 120), "10", "How long a translation is waited for.", unit="seconds"
    )
    translations_per_hour: int = setting(
        60,
        whole(1, 1_000_000_000),
        "60",
        "New translations that one person may ask for in an hour.",
        unit="translations",
    )
    translations_kept: int = setting(
        10_000,
        whole(0, 1_000_000_000),
        "10000",
        "Translations kept, so that nobody pays twice; the oldest go first.",
        unit="translations",
    )

    @property
    def translator_in_use(self) -> str:
        """The translator that is asked for, or that fits; raises SettingError without its needs."""
        chosen = self.translator
        if chosen == "auto":
            has_key = "azure" if self.translator_key else "none"
            return "libretranslate" if self.translator_url else has_key
        needed = {"libretranslate": "translator_url", "deepl": "translator_key"}
        missing = needed.get(chosen, "translator_key" if chosen == "azure" else None)
        if missing is not None and getattr(self, missing) is None:
            name = self.spelling("translator")
            raise SettingError(f"{name} is '{chosen}', and {self.spelling(missing)} is not set.")
        return chosen
