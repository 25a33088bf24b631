"""What templates are given: people, posts and notifications with their addresses and markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from markupsafe import Markup, escape

from microblog.core import clients, markup, pictures, search_tokens
from microblog.core.search_tokens import Term
from microblog.core.tasks import State
from microblog.models import User
from microblog.queries.access import Door
from microblog.queries.jobs import JobRow
from microblog.queries.posts import Version
from microblog.queries.rows import Person, PostRow
from microblog.queries.translations import TranslationRow
from microblog.runtime import runtime

_MARK = Markup("<mark>{}</mark>")


def profile_path(username: str) -> str:
    """Return the address of a person's page."""
    return f"/user/{quote(username)}"


def tag_path(tag: str) -> str:
    """Return the address of a hashtag's page."""
    return f"/tag/{quote(tag)}"


def conversation_path(username: str) -> str:
    """Return the address of the private messages with a person."""
    return f"/messages/{quote(username)}"


def avatar_path(username: str, avatar: str | None, size: int) -> str:
    """Return the address of a person's picture: of the one they gave, or of the one drawn.

    `size` is one of `pictures.SIZES`. What stands at an address never changes.
    """
    if avatar is None:
        return f"{profile_path(username)}/avatar.svg"
    return f"{profile_path(username)}/avatar/{avatar}-{size}.webp"


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as everyone may see them; `portrait_url` is the picture in the larger size."""

    id: int
    username: str
    display_name: str
    about_me: str
    url: str
    avatar_url: str
    portrait_url: str
    has_avatar: bool
    first_seen: datetime
    last_seen: datetime
    post_count: int
    follower_count: int
    following_count: int
    is_admin: bool

    @property
    def about_html(self) -> Markup:
        """What the person says of themselves, with links."""
        return Markup(markup.render(self.about_me, profile_path, tag_path, ()))  # noqa: S704


@dataclass(frozen=True, slots=True)
class PostView:
    """A post; `html` is the safe markup of its text, `markup` the whole ready article.

    A question has a `title`, is "open" or "answered", and names its accepted answer; a reply says
    what it answers, and whom, unless that is gone.
    """

    id: int
    url: str
    author: PersonView
    created_at: datetime
    edited_at: datetime | None
    deleted: bool
    language: str | None
    title: Markup | None
    question: str | None
    accepted_id: int | None
    reply_to_url: str | None
    reply_to_name: str | None
    reply_count: int
    html: Markup
    markup: Markup | None = None


@dataclass(frozen=True, slots=True)
class VersionView:
    """What a post says, or said, as safe markup, and since when."""

    title: str | None
    html: Markup
    written_at: datetime


@dataclass(frozen=True, slots=True)
class TranslationView:
    """A translated text: its safe markup, its language, the original's, and who translated it."""

    html: Markup
    language: str
    source: str
    provider: str


@dataclass(frozen=True, slots=True)
class DoorView:
    """A browser or a program that is signed in, in words; `is_here` is the one that asks."""

    id: int
    name: str
    system: str
    created_at: datetime
    used_at: datetime
    is_here: bool


@dataclass(frozen=True, slots=True)
class ProgramTokenView:
    """A token that somebody made for a program; `used_at` is None where none has used it."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


def export_path(job_id: int) -> str:
    """Return the address of the file that an export made."""
    return f"/export_posts/{job_id}.zip"


def cancel_path(job_id: int) -> str:
    """Return where a job is stopped, by POST."""
    return f"/jobs/{job_id}/cancel"


def kept_until(row: JobRow) -> datetime | None:
    """Return until when the file of an export can be downloaded; None where there is none."""
    if row.state != State.DONE or row.finished_at is None:
        return None
    return row.finished_at + timedelta(hours=runtime().settings.export_hours)


def person(user: User | Person) -> PersonView:
    """Make the view of a person."""
    return PersonView(
        id=user.id,
        username=user.username,
        display_name=user.name,
        about_me=user.about_me,
        url=profile_path(user.username),
        avatar_url=avatar_path(user.username, user.avatar, pictures.SMALL),
        portrait_url=avatar_path(user.username, user.avatar, pictures.LARGE),
        has_avatar=user.avatar is not None,
        first_seen=user.first_seen,
        last_seen=user.last_seen,
        post_count=user.post_count,
        follower_count=user.follower_count,
        following_count=user.following_count,
        is_admin=user.is_admin,
    )


def door(row: Door, *, is_here: bool = False) -> DoorView:
    """Make the view of a way in that is open."""
    client = clients.describe(row.device)
    return DoorView(row.id, client.name, client.system, row.created_at, row.used_at, is_here)


def program_token(row: Door) -> ProgramTokenView:
    """Make the view of a token that somebody made for a program."""
    used_at = row.used_at if row.used_at > row.created_at else None
    scopes = tuple((row.scopes or "").split())
    return ProgramTokenView(row.id, row.name or "", scopes, row.created_at, used_at, row.expires_at)


def body_html(post: PostRow, terms: Sequence[Term] = (), body: str | None = None) -> str:
    """Return the safe markup of a post's text, or of its translation.

    Only people who exist are linked, and none whom the post itself does not mention. What it says
    of `terms` stands in `mark`.
    """
    known = (post.mentioned or "").split()
    marked = partial(search_tokens.spans, terms) if terms else None
    text = post.body if body is None else body
    return markup.render(text, profile_path, tag_path, known, marked)


def post_path(post_id: int) -> str:
    """Return the address of a post's page."""
    return f"/post/{post_id}"


def question_path(post_id: int) -> str:
    """Return the address of a question's page, to which that of the post leads on."""
    return f"/question/{post_id}"


def page_path(row: PostRow) -> str:
    """Return the address of the page of a post, or of a question."""
    return post_path(row.id) if row.question is None else question_path(row.id)


def _title(row: PostRow, terms: Sequence[Term]) -> Markup | None:
    """Return a question's title, with what it says of `terms` in `mark`."""
    if row.title is None:
        return None
    made, position = Markup(), 0
    for start, end in search_tokens.spans(terms, row.title) if terms else ():
        made += escape(row.title[position:start]) + _MARK.format(row.title[start:end])
        position = end
    return made + escape(row.title[position:])


def post(row: PostRow, terms: Sequence[Term] = ()) -> PostView:
    """Make the view of a post, without its article; what it says of `terms` is marked."""
    return PostView(
        id=row.id,
        url=page_path(row),
        author=person(row.author),
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted=row.deleted_at is not None,
        language=row.language,
        title=_title(row, terms),
        question=row.question,
        accepted_id=row.accepted_id,
        reply_to_url=None if row.reply_to_id is None else post_path(row.reply_to_id),
        reply_to_name=row.reply_to_name,
        reply_count=row.reply_count,
        html=Markup(body_html(row, terms)),  # noqa: S704 - core.markup escapes, nh3 checks
    )


def version(row: Version) -> VersionView:
    """Make the view of what a post says, or said. Nobody is linked: it may mention others now."""
    html = markup.render(row.body, profile_path, tag_path, ())
    return VersionView(row.title, Markup(html), row.written_at)  # noqa: S704 - as a post's own


def translation(post: PostRow, row: TranslationRow, provider: str) -> TranslationView:
    """Make the view of a post's translation; `provider` is what the service is called."""
    html = Markup(body_html(post, body=row.text))  # noqa: S704 - as the post's own
    return TranslationView(html, row.target, row.source, provider)
