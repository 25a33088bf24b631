"""What templates are given: people, posts and notifications with their addresses and markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from markupsafe import Markup

from microblog.core import markup, search_tokens
from microblog.core.search_tokens import Term
from microblog.core.tasks import State
from microblog.models import User
from microblog.queries.jobs import JobRow
from microblog.queries.posts import Version
from microblog.queries.rows import NotificationRow, Person, PostRow
from microblog.queries.translations import TranslationRow
from microblog.runtime import runtime


def profile_path(username: str) -> str:
    """Return the address of a person's page."""
    return f"/user/{quote(username)}"


def tag_path(tag: str) -> str:
    """Return the address of a hashtag's page."""
    return f"/tag/{quote(tag)}"


def avatar_path(username: str) -> str:
    """Return the address of a person's picture."""
    return f"{profile_path(username)}/avatar.svg"


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as everyone may see them."""

    id: int
    username: str
    display_name: str
    about_me: str
    url: str
    avatar_url: str
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

    A question has a `title` and is "open" or "answered"; a reply says what it answers, and whom,
    unless that is gone.
    """

    id: int
    url: str
    author: PersonView
    created_at: datetime
    edited_at: datetime | None
    deleted: bool
    language: str | None
    title: str | None
    question: str | None
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
class NotificationView:
    """Something that `actor` did, with the post it is about."""

    id: int
    kind: str
    actor: PersonView
    post: PostView | None
    created_at: datetime
    read: bool


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
        avatar_url=avatar_path(user.username),
        first_seen=user.first_seen,
        last_seen=user.last_seen,
        post_count=user.post_count,
        follower_count=user.follower_count,
        following_count=user.following_count,
        is_admin=user.is_admin,
    )


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


def post(row: PostRow, terms: Sequence[Term] = ()) -> PostView:
    """Make the view of a post, without its article; what it says of `terms` is marked."""
    return PostView(
        id=row.id,
        url=post_path(row.id),
        author=person(row.author),
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted=row.deleted_at is not None,
        language=row.language,
        title=row.title,
        question=row.question,
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


def notification(row: NotificationRow) -> NotificationView:
    """Make the view of a notification."""
    return NotificationView(
        id=row.id,
        kind=row.kind,
        actor=person(row.actor),
        post=post(row.post) if row.post is not None else None,
        created_at=row.created_at,
        read=row.read_at is not None,
    )
