"""What is settled of a post before it is written: its language. Pages and the API call this before
they open the transaction, for the first guess of a process waits for its model.
"""

from microblog.core import languages, text
from microblog.core.errors import Invalid, message
from microblog.edge import language
from microblog.runtime import runtime


async def language_of(body: str, said: str | None) -> str | None:
    """Return the code of a text's language: what its author says, else a guess, else None.

    Raises Invalid for the field `language` where the author says what is none.
    """
    if said:
        code = languages.known(said)
        if code is None:
            raise Invalid({"language": [NO_SUCH_LANGUAGE]})
        return code
    if text.size_bytes(body) > text.MAX_BYTES:
        return None  # it is about to be refused
    return (await runtime().guesser()).guess(body, languages.known(language.current()))


NO_SUCH_LANGUAGE = message(
    "This language is not known here. Use the two letters of ISO 639, for example “en” or “ko”, "
    "or leave it out."
)
