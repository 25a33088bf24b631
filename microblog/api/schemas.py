"""What the API answers, as models: the OpenAPI document is made from them.

`render.json` makes the answers; a test holds each of them against these models.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

USER: JsonDict = {
    "id": "7",
    "username": "mina",
    "display_name": "Mina",
    "about_me": "Seoul, bicycles, #bread",
    "first_seen": "2026-01-02T03:04:05.678Z",
    "last_seen": "2026-02-03T04:05:06.789Z",
    "post_count": 12,
    "follower_count": 3,
    "following_count": 4,
    "_links": {
        "self": "/api/users/7",
        "followers": "/api/users/7/followers",
        "following": "/api/users/7/following",
        "posts": "/api/users/7/posts",
        "avatar": "/user/mina/avatar.svg",
    },
}
POST: JsonDict = {
    "id": "1042",
    "body": "Good morning #서울",
    "html": '<p>Good morning <a href="/tag/%EC%84%9C%EC%9A%B8">#서울</a></p>',
    "language": "en",
    "visibility": "public",
    "created_at": "2026-02-03T04:05:06.789Z",
    "edited_at": None,
    "author": USER,
    "reply_to": None,
    "counts": {"replies": 3},
    "question": None,
    "_links": {
        "self": "/api/posts/1042",
        "author": "/api/users/7",
        "thread": "/api/posts/1042/thread",
        "history": "/api/posts/1042/history",
        "page": "/post/1042",
    },
}
_NEIGHBOURS: JsonDict = {
    "self": "/api/posts?limit=1",
    "next": "/api/posts?limit=1&before=1042",
    "prev": None,
}


def _example(value: JsonDict) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [value]})


class UserLinks(BaseModel):
    """Addresses around a person."""

    self: str
    followers: str
    following: str
    posts: str
    avatar: str = Field(
        description="The person's picture: WebP of 400 pixels, or the SVG drawn from the name. "
        "Another picture has another address."
    )


class User(BaseModel):
    """A person."""

    model_config = _example(USER)

    id: str = Field(description="Opaque.")
    username: str
    display_name: str = Field(description="The name to show; the username where none was chosen.")
    about_me: str
    first_seen: str = Field(json_schema_extra={"format": "date-time"})
    last_seen: str = Field(json_schema_extra={"format": "date-time"})
    post_count: int
    follower_count: int
    following_count: int
    email: str = Field("", description="Told to the person alone; absent for everyone else.")
    links: UserLinks = Field(alias="_links")


class PostLinks(BaseModel):
    """Addresses around a post."""

    self: str
    author: str
    thread: str
    history: str
    page: str = Field(description="The post's own page, for people.")


class Counts(BaseModel):
    """How often something was done with a post."""

    replies: int


class Question(BaseModel):
    """What makes a post a question."""

    title: str
    state: Literal["open", "answered"]
    accepted: str | None = Field(description="The id of the answer that the asker accepted.")


class Post(BaseModel):
    """A post."""

    model_config = _example(POST)

    id: str = Field(description="Opaque; sorts by time.")
    body: str = Field(description="The text as it was written.")
    html: str = Field(description="The text as safe markup, with its links.")
    language: str | None = Field(
        description="The BCP 47 code of its language, said by the author or guessed; null where "
        "nothing sure can be said."
    )
    visibility: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    edited_at: str | None = Field(json_schema_extra={"format": "date-time"})
    author: User
    reply_to: str | None = Field(description="The id of the post that it answers.")
    counts: Counts
    question: Question | None
    links: PostLinks = Field(alias="_links")


class Translation(BaseModel):
    """A post in another language."""

    model_config = _example(
        {"text": "Good morning #서울", "from": "ko", "to": "en", "provider": "libretranslate"}
    )

    text: str = Field(description="Plain text. Links, @mentions and #hashtags are as they were.")
    source: str = Field(alias="from", description="The language it was in; “und” where unknown.")
    to: str
    provider: str = Field(description="“libretranslate”, “deepl” or “azure”.")


class Neighbours(BaseModel):
    """Addresses of this page and of those beside it; null where there is none."""

    self: str
    next: str | None
    prev: str | None


class NumberedMeta(BaseModel):
    """Where in a numbered list this page is."""

    page: int
    per_page: int
    total_pages: int
    total_items: int


class CursorMeta(BaseModel):
    """How much a page of a timeline holds, and whether older items follow."""

    per_page: int
    has_more: bool = Field(description="Whether there are older items: `_links.next` has them.")


class UserPage(BaseModel):
    """A page of people, the earliest member first."""

    model_config = _example(
        {
            "items": [USER],
            "_meta": {"page": 1, "per_page": 25, "total_pages": 1, "total_items": 1},
            "_links": {"self": "/api/users?page=1&per_page=25", "next": None, "prev": None},
        }
    )

    items: list[User]
    meta: NumberedMeta = Field(alias="_meta")
    links: Neighbours = Field(alias="_links")


class PeoplePage(BaseModel):
    """A page of people, the latest first."""

    model_config = _example(
        {
            "items": [USER],
            "_meta": {"per_page": 25, "has_more": False},
            "_links": {"self": "/api/users/8/followers", "next": None, "prev": None},
        }
    )

    items: list[User]
    meta: CursorMeta = Field(alias="_meta")
    links: Neighbours = Field(alias="_links")


def all_on_one_page(items: list[Any], path: str) -> ConfigDict:
    """Return how an example of a list looks that is never more than one page."""
    meta: JsonDict = {"per_page": len(items), "has_more": False}
    return _example(
        {"items": items, "_meta": meta, "_links": {"self": path, "next": None, "prev": None}}
    )


class Whole(BaseModel):
    """A list that is never more than one page."""

    meta: CursorMeta = Field(alias="_meta")
    links: Neighbours = Field(alias="_links")


class PostPage(BaseModel):
    """A page of posts, newest first."""

    model_config = _example(
        {
            "items": [POST],
            "_meta": {"per_page": 1, "has_more": True},
            "_links": _NEIGHBOURS,
        }
    )

    items: list[Post]
    meta: CursorMeta = Field(alias="_meta")
    links: Neighbours = Field(alias="_links")


class TagLinks(BaseModel):
    """Addresses around a hashtag."""

    page: str = Field(description="The hashtag's own page, for people.")


class Tag(BaseModel):
    """A hashtag that was found."""

    name: str
    found_in: int = Field(description="How many of the newest posts found have it.")
    links: TagLinks = Field(alias="_links")


class Tokens(BaseModel):
    """A pair of tokens: one to show with each call, one to get the next pair with."""

    model_config = _example(
        {
            "token": "eyJhbGciOi…",
            "access_token": "eyJhbGciOi…",
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": "0G7fW2…",
        }
    )

    token: str = Field(description="The same as `access_token`.")
    access_token: str
    token_type: str
    expires_in: int = Field(description="Seconds for which the access token is good.")
    refresh_token: str


class Entry(BaseModel):
    """The entry to the API."""

    model_config = _example(
        {
            "name": "Microblog",
            "_links": {"self": "/api", "users": "/api/users", "user": "/api/users/{who}"},
        }
    )

    name: str = Field(description="What the owner calls this microblog.")
    links: dict[str, str] = Field(
        alias="_links",
        description="Where everything is, by name. What stands in braces you fill in (RFC 6570).",
    )


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    error: str = Field(description="The status in words.")
    message: str = Field(description="The same as `detail`.")
    errors: dict[str, list[str]] = Field({}, description="Field by field, where fields are wrong.")
