"""The languages that a post may be in, by their codes, and what a text's letters say of its own.

`guessing` asks first here; `edge.authoring` holds what authors say to `CODES`.
"""

from collections import Counter
from typing import Final

import regex

CODES: Final = (
    *("ar", "be", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fil"),
    *("fr", "he", "hi", "hr", "hu", "hy", "id", "it", "ja", "ka", "km", "ko", "lo", "lt", "lv"),
    *("mk", "mr", "ms", "my", "nb", "ne", "nl", "pl", "pt", "ro", "ru", "si", "sk", "sl", "sr"),
    *("sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh"),
)
"""The shortest BCP 47 tags of the languages that are told apart here."""

_OTHER_NAMES = {"no": "nb", "nn": "nb", "tl": "fil", "iw": "he", "in": "id", "yue": "zh"}

# A letter of these says the language by itself; the rest share their script with others.
_OWN_SCRIPTS = {
    "Armenian": "hy",
    "Bengali": "bn",
    "Georgian": "ka",
    "Greek": "el",
    "Hangul": "ko",
    "Hebrew": "he",
    "Khmer": "km",
    "Lao": "lo",
    "Myanmar": "my",
    "Sinhala": "si",
    "Tamil": "ta",
    "Telugu": "te",
    "Thai": "th",
}
_SHARED_SCRIPTS = {
    "Arabic": frozenset({"ar", "fa", "ur"}),
    "Cyrillic": frozenset({"be", "bg", "mk", "ru", "sr", "uk"}),
    "Devanagari": frozenset({"hi", "mr", "ne"}),
}
# Malay is so like Indonesian that each would only take from the other's chance.
_SHARED_SCRIPTS["Latin"] = frozenset(CODES).difference(
    {"ja", "ms", "zh"}, _OWN_SCRIPTS.values(), *_SHARED_SCRIPTS.values()
)
SHARING: Final = frozenset().union(*_SHARED_SCRIPTS.values())
"""The languages that a script alone does not tell apart."""

_SCRIPTS = dict.fromkeys(("Latin", "Hangul", "Han", "Kana", *_OWN_SCRIPTS, *_SHARED_SCRIPTS))
_LETTERS = regex.compile(
    "|".join(
        rf"(?P<{name}>[\p{{Hiragana}}\p{{Katakana}}]++)"
        if name == "Kana"
        else rf"(?P<{name}>\p{{{name}}}++)"
        for name in _SCRIPTS
    )
)
# One sign of these is worth about as much as a syllable of the others, three letters long.
_SYLLABLES = {"Han": 3, "Hangul": 3, "Kana": 3}
_CLEAR_SHARE = 0.6
_FEWEST_OF_HAN = 4


def known(tag: str) -> str | None:
    """Return the code of a language by a BCP 47 tag ("ko", "en-GB", "zh_TW"), None for others."""
    primary = regex.split("[-_]", tag.strip().lower(), maxsplit=1)[0]
    code = _OTHER_NAMES.get(primary, primary)
    return code if code in CODES else None


def by_script(text: str) -> str | frozenset[str] | None:
    """Return the language that the letters of a text belong to, or those it may be one of.

    None where it has no letters, where two scripts hold each other the balance, and for a few
    Chinese signs, which may as well be Japanese.
    """
    weights: Counter[str] = Counter()
    for found in _LETTERS.finditer(text):
        script = str(found.lastgroup)
        weights[script] += (found.end() - found.start()) * _SYLLABLES.get(script, 1)
    if weights["Kana"]:  # Japanese is written in Chinese signs and Kana, never in Kana's absence
        weights["Kana"] += weights.pop("Han", 0)
    if not weights:
        return None
    ((script, most),) = weights.most_common(1)
    if most < _CLEAR_SHARE * weights.total():
        return None
    if script == "Han":
        return "zh" if most >= _FEWEST_OF_HAN * _SYLLABLES["Han"] else None
    if script == "Kana":
        return "ja"
    return _OWN_SCRIPTS.get(script) or _SHARED_SCRIPTS[script]
