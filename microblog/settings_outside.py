"""The settings of services outside: whom Microblog asks over the network, and with which key.

`settings.Settings` has all of these beside its own.
"""

from dataclasses import dataclass

from microblog import variables
from microblog.variables import setting, whole

TRANSLATORS = ("auto", "none", "libretranslate", "deepl", "azure")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideSettings:
    """What is set of services outside, each with its default: without any, none is asked."""

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
