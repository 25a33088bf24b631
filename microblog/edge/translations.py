"""A post in another language: what was translated before, else what the service answers now.

Pages and the API come here. No transaction is open while the service is asked.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final

from microblog.actions import translations
from microblog.backends.translator import Translated, Translator
from microblog.core import carrying, languages, text
from microblog.core.errors import Invalid, ServiceFailed, message
from microblog.core.tokens import digest
from microblog.edge import limits
from microblog.models import User
from microblog.queries import posts
from microblog.queries import translations as translation_queries
from microblog.queries.rows import PostRow
from microblog.queries.translations import TranslationRow
from microblog.runtime import runtime

UNKNOWN: Final = "und"
"""The source of a text whose language nobody knows (BCP 47): the service finds it out."""

LONGEST_SENT: Final = 3_000
"""Characters that are sent of one post: six times what most posts may have."""

LINES_AT_ONCE: Final = 50
"""As many as DeepL takes."""


async def of_post(post_id: int, reader: User, to: str) -> tuple[PostRow, TranslationRow]:
    """Return a post that the reader may see, and its translation.

    Raises NotFound, Invalid for the field `to`, TooManyTries, and what a translator raises.
    """
    target = languages.known(to)
    if target is None:
        raise Invalid({"to": [message("This language is not known here.")]})
    async with runtime().database.read() as read:
        post = await posts.visible(read, post_id, reader.id)
        source = post.language or UNKNOWN
        if source == target:
            raise Invalid({"to": [message("The post is in this language already.")]})
        made = await translation_queries.find(read, digest(post.body), source, target)
    if made is None:
        made = await _translated(post, reader, target)
    return post, made


async def _translated(post: PostRow, reader: User, target: str) -> TranslationRow:
    """Ask the service, and keep what it answers unless the post was deleted meanwhile."""
    parcel = carrying.pack(post.body)
    if not parcel.sent:
        raise Invalid({"to": [message("There is nothing in it to be translated.")]})
    if sum(map(len, parcel.sent)) > LONGEST_SENT:
        raise Invalid({"to": [message("This text is too long to be translated.")]})
    if runtime().translates:
        await limits.count_translation(reader.id)
    answer = await _asked_once(parcel.sent, post.language, target)
    made = text.clean(carrying.unpack(parcel, answer.lines))
    if text.size_bytes(made) > text.MAX_BYTES:
        raise ServiceFailed(message("The translation service gave an answer that cannot be used."))
    found = TranslationRow(made, answer.source, target, runtime().translator.name)
    most = runtime().settings.translations_kept
    async with runtime().database.write() as tx:
        await posts.visible(tx, post.id, reader.id)
        asked_as = post.language or UNKNOWN
        await translations.remember(tx, post.body, asked_as, found, datetime.now(UTC), most=most)
    return found


async def _asked_once(lines: tuple[str, ...], source: str | None, target: str) -> Translated:
    """Ask the service once for all who want the same at the same time."""
    waiting, key = runtime().translating, (lines, source, target)
    asked = waiting.get(key)
    if asked is None:
        asked = waiting[key] = asyncio.ensure_future(
            _ask(runtime().translator, lines, source, target)
        )
        asked.add_done_callback(lambda _: waiting.pop(key))
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(asked)


async def _ask(
    translator: Translator, lines: tuple[str, ...], source: str | None, target: str
) -> Translated:
    answers: list[str] = []
    found = source
    for start in range(0, len(lines), LINES_AT_ONCE):
        some = await translator.translate(lines[start : start + LINES_AT_ONCE], source, target)
        answers += some.lines
        found = found or some.source
    return Translated(tuple(answers), found or UNKNOWN)
