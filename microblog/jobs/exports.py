"""Writing down everything that is somebody's: posts, messages, whom they follow, settings, picture.

An export is an archive of JSON files. It is written page by page, so its size costs no memory.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zipfile import ZipFile

from microblog import export_files
from microblog.actions import mail
from microblog.core import pictures
from microblog.core.leaving import Left
from microblog.core.tasks import Cancelled, ExportPosts, RemoveExports
from microblog.database import Tx
from microblog.finishing import finished
from microblog.jobs.work import Failed, Job
from microblog.models import User
from microblog.queries import avatars, drafts, exports
from microblog.queries.exports import OldVersion, OwnMessage, OwnPost, Related
from microblog.render import json as as_json
from microblog.settings import Settings

ALMOST = 99  # what is left is done when the file has its name

Pages = AsyncIterator[Sequence[Any]]


async def export_posts(job: Job, task: ExportPosts) -> None:
    """Write a person's export, and mail them that it is there; the one before it goes."""
    target = export_files.path(job.runtime.settings.data_dir, task.user_id, job.id)
    async with export_files.written(target) as archive:
        await _fill(job, task.user_id, archive)
    try:
        async with job.write() as tx:
            await _tell(tx, job.runtime.settings, task.user_id)
    except Cancelled:
        target.unlink(missing_ok=True)
        raise
    export_files.remove_others(target, task.user_id)


async def _tell(tx: Tx, settings: Settings, user_id: int) -> None:
    person = await tx.get(User, user_id)
    if person is None or person.left_because == Left.DELETED:
        raise Cancelled  # they went while it was written
    now = datetime.now(UTC)
    mail.tell_of_export(tx, settings, person, now + timedelta(hours=settings.export_hours), now)


async def remove_exports(job: Job, _task: RemoveExports) -> None:
    """Remove the files of exports whose time is over."""
    settings = job.runtime.settings
    kept = timedelta(hours=settings.export_hours)
    await asyncio.to_thread(export_files.remove_older, settings.data_dir, kept.total_seconds())


async def _fill(job: Job, user_id: int, archive: ZipFile) -> None:
    database = job.runtime.database
    async with database.read() as read:
        person = await read.get(User, user_id)
        picture = await avatars.content(read, user_id, pictures.LARGE)
        total, until = await exports.count_posts(read, user_id)
        unsent = [as_json.draft(row) for row in await drafts.all_of(read, user_id)]
    if person is None or person.left_because == Left.DELETED:
        raise Failed("There is no such person any more.")
    done = 0

    async def counted(pages: AsyncIterator[Sequence[OwnPost]]) -> Pages:
        nonlocal done
        async for page in pages:
            versions = await exports.versions(database, page)
            yield [(each, versions.get(each.id, ())) for each in page]
            done += len(page)
            await job.progress(min(ALMOST, ALMOST * done // total))

    async def watched(pages: Pages) -> Pages:
        async for page in pages:
            yield page
            await job.progress(ALMOST)  # raises where it is to stop

    await job.progress(0)
    posts = counted(exports.posts(database, user_id, until))
    await _write(archive, "posts.json", {"posts": (posts, _post)})
    messages = watched(exports.messages(database, user_id))
    await _write(archive, "messages.json", {"messages": (messages, partial(_message, person))})
    people = {
        "following": (exports.following(database, user_id), _related),
        "followers": (exports.followers(database, user_id), _related),
    }
    await _write(archive, "follows.json", people)
    archive.writestr("drafts.json", _dump({"drafts": unsent}, indent=2))
    archive.writestr("settings.json", _dump(_settings(person), indent=2))
    if picture is not None:
        archive.writestr("avatar.webp", picture)


async def _write(
    archive: ZipFile, name: str, lists: Mapping[str, tuple[Pages, Callable[[Any], Any]]]
) -> None:
    """Write an object of lists, each from its pages, each item made by its function."""
    with export_files.entry(archive, name) as file:

        async def put(text: str) -> None:
            # Compressing takes a while, and what is written to must not be closed meanwhile.
            await finished(asyncio.to_thread(file.write, text.encode()))

        before = "{"
        for key, (pages, made) in lists.items():
            await put(f'{before}"{key}": [')
            between = "\n"
            async for page in pages:
                await put(between + ",\n".join(_dump(made(row)) for row in page))
                between = ",\n"
            before = "],\n"
        await put("]}\n")


def _post(found: tuple[OwnPost, Sequence[OldVersion]]) -> dict[str, Any]:
    """Write a post down; what it asks, answers, and said before, only where there is any."""
    row, versions = found
    told: dict[str, Any] = {} if row.title is None else {"title": row.title}
    told |= {"body": row.body, "timestamp": _moment(row.created_at)}
    if row.reply_to_id is not None:
        told["reply_to"] = f"/post/{row.reply_to_id}"
    if row.edited_at is not None:
        told["edited"] = _moment(row.edited_at)
        told["before"] = [
            {"body": each.body, "timestamp": _moment(each.written_at)} for each in versions
        ]
    return told


def _message(owner: User, row: OwnMessage) -> dict[str, str]:
    writer = owner.username if row.sender_id == owner.id else row.other
    said = {"body": row.body, "timestamp": _moment(row.created_at)}
    return {"with": row.other, "from": writer} | said


def _related(row: Related) -> dict[str, str]:
    since = _moment(row.since)
    return {"username": row.username, "display_name": row.display_name, "since": since}


def _settings(person: User) -> dict[str, Any]:
    names = (
        *("username", "email", "display_name", "about_me", "role", "language", "theme"),
        *("messages_from", "read_marks", "typing_shown"),
    )
    told: dict[str, Any] = {name: getattr(person, name) for name in names}
    seen = {"first_seen": _moment(person.first_seen), "last_seen": _moment(person.last_seen)}
    return told | seen


def _moment(at: datetime) -> str:
    """Write a time as the files of the tutorial's export do: in UTC, with a Z."""
    return at.replace(tzinfo=None).isoformat() + "Z"


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
