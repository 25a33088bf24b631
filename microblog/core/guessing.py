"""Guesses the language of a text: by its script first, then by a model of letter sequences.

The model is py3langid's (a naive Bayes classifier over n-grams of bytes; Lui and Baldwin, ACL
2012), restricted to the languages that share a script with others. Loading it takes half a second
and 70 MB that stay: `runtime` does it in a thread, when somebody is about to write.
"""

from collections.abc import Set
from functools import cache
from typing import Any, Final, Protocol

from microblog.core import languages, verbatim

LEAST_CONFIDENCE: Final = 0.4
"""Below it the guess is as often wrong as right: "hi", "lol" and names are in no language."""

LEAST_EXPECTED: Final = 0.2
"""The same for the language that the author reads, which two words of it are likely to be in."""

LEAST_OF_ONE_WORD: Final = 0.7
"""The same for a single word: "hahaha" and many names would pass for a language."""

LONGEST_LOOK: Final = 300
"""Characters that are looked at. More make no guess better."""


class _Model(Protocol):
    """py3langid's classifier."""

    def classify(self, text: str) -> tuple[str, float]:
        """Return the likeliest language and its probability."""


class Guesser:
    """Guesses languages. Without a model it knows the scripts alone."""

    def __init__(self, model: _Model | None = None) -> None:
        self._model = model

    def guess(self, text: str, expected: str | None = None) -> str | None:
        """Return the language of a post's text, or None where nothing sure can be said.

        `expected` is what its author is likely to write in, which tips the balance for a few words.
        Links, mentions, hashtags and code say nothing of it.
        """
        prose = verbatim.prose(text)[:LONGEST_LOOK]
        found = languages.by_script(prose)
        if found is None or isinstance(found, str):
            return found
        return self._among(prose, found, expected)

    def _among(self, prose: str, candidates: Set[str], expected: str | None) -> str | None:
        if self._model is None:
            return None
        name, confidence = self._model.classify(prose)
        code = languages.known(name)
        least = LEAST_EXPECTED if code == expected else LEAST_CONFIDENCE
        if len(prose.split()) < 2:
            least = LEAST_OF_ONE_WORD
        return code if confidence >= least and code in candidates else None


@cache
def open_guesser() -> Guesser:
    """Load the model, once a process. Takes half a second of a thread."""
    from py3langid import langid

    whole: Any = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    whole.set_languages([name for name in whole.labels if _is_asked_for(name)])
    # Made anew of what is left: the whole table, of 142 languages, goes.
    slim: Any = langid.LanguageIdentifier(
        whole.nb_ptc,
        whole.nb_pc,
        whole.nb_classes,
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )
    return Guesser(slim)


def _is_asked_for(name: str) -> bool:
    """Leave out the near relatives, which only take from one another's confidence."""
    return languages.known(name) in languages.SHARING and name not in {"nn", "yue"}
