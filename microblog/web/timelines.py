"""Timelines: home, everything, and hashtags."""

from typing import Any

from quart import Blueprint, redirect, url_for

from microblog.core.drafts import NEW_POST
from microblog.core.errors import NotFound
from microblog.core.markup import tag_name
from microblog.database import Read
from microblog.edge import paging, templates
from microblog.edge.auth import Visitor
from microblog.models import User
from microblog.queries import drafts, posts
from microblog.queries.events import EXPLORE, HOME
from microblog.runtime import runtime
from microblog.web import layout, pages, recommendations
from microblog.web.compose import PostForm, fresh_form

blueprint = Blueprint("timelines", __name__)


@blueprint.get("/index")
async def index() -> Any:
    """Lead on from the address that home has in the tutorial."""
    return redirect(url_for("timelines.home"), 301)


@blueprint.get("/")
async def home() -> str:
    """Show the home feed; to who is not signed in, what this place is and what everyone writes."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, HOME, for_all=True)
        if visitor.user is not None:
            left = await drafts.of(read, visitor.user.id, NEW_POST)
            return await show_home(read, visitor.user, fresh_form(left))
        return await _welcome(read, visitor)


async def show_home(read: Read, user: User, form: PostForm) -> str:
    """Render the home feed around a form for a new post."""
    runtime().warm_guesser()
    window = paging.window(runtime().settings.posts_per_page)
    page = await posts.home(read, user.id, window, layout.position())
    # An empty home shows what others write. The page isn't told of more: it listens to HOME only.
    is_empty = not page.items and window.before is None and window.after is None
    everyone = await posts.everything(read, user.id, window) if is_empty else None
    return await templates.render(
        "timelines/home.html",
        page=pages.of_posts(page, user.id),
        form=form,
        people=await recommendations.of(read, user),
        everyone=pages.of_posts(everyone, user.id).items if everyone else (),
    )


async def _welcome(read: Read, visitor: Visitor) -> str:
    if runtime().settings.members_only:
        layout.listen_to()
        return await templates.render("timelines/welcome.html", page=None)
    layout.listen_to(EXPLORE)
    return await templates.render("timelines/welcome.html", **await _everything(read, visitor))


async def _everything(read: Read, visitor: Visitor) -> dict[str, Any]:
    window = paging.window(runtime().settings.posts_per_page)
    page = await posts.everything(read, visitor.id, window)
    return {"page": pages.of_posts(page, visitor.id)}


@blueprint.get("/explore")
async def explore() -> str:
    """Show what everyone writes."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, EXPLORE)
        return await templates.render(
            "timelines/explore.html",
            **await _everything(read, visitor),
            people=await recommendations.of(read, visitor.user) if visitor.user else [],
        )


@blueprint.get("/tag/<name>")
async def tag(name: str) -> str:
    """Show the posts with a hashtag."""
    folded = tag_name(name)
    if folded is None:
        raise NotFound
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, f"tag:{folded}")
        window = paging.window(runtime().settings.posts_per_page)
        page = await posts.by_tag(read, folded, visitor.id, window)
        return await templates.render(
            "timelines/tag.html", tag=folded, page=pages.of_posts(page, visitor.id)
        )
