"""The tables. `from microblog.models import User, Post` works for all of them."""

from microblog.models.access import IdempotencyKey, RefreshToken, Session, TokenFamily, Try
from microblog.models.base import Model, table
from microblog.models.events import EventRow, History
from microblog.models.jobs import Job
from microblog.models.mail import KnownDevice, MailedLink
from microblog.models.notifications import Notification
from microblog.models.posts import Mention, Post, PostTag, PostVersion
from microblog.models.search import Searchable, SearchPosition
from microblog.models.translations import Translation
from microblog.models.users import Follow, User

REVISION = "0010"  # the head of alembic/versions; a test holds it to that

__all__ = [
    "REVISION",
    "EventRow",
    "Follow",
    "History",
    "IdempotencyKey",
    "Job",
    "KnownDevice",
    "MailedLink",
    "Mention",
    "Model",
    "Notification",
    "Post",
    "PostTag",
    "PostVersion",
    "RefreshToken",
    "SearchPosition",
    "Searchable",
    "Session",
    "TokenFamily",
    "Translation",
    "Try",
    "User",
    "table",
]
