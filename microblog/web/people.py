"""People: profiles, whom they follow, and editing one's own profile."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, flash, redirect, request, url_for
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from wtforms import BooleanField, FileField, StringField, TextAreaField

from microblog.actions import accounts, avatars, follows
from microblog.core.cursors import Page, Window
from microblog.core.errors import Conflict, Invalid
from microblog.core.locators import safe_next
from microblog.core.pictures import Squares
from microblog.database import Read, Tx
from microblog.edge import auth, forms, paging, templates, uploads
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.models import User
from microblog.queries import posts, users
from microblog.render import views
from microblog.runtime import runtime
from microblog.web import layout, pages
from microblog.web.auth import STALE

blueprint = Blueprint("people", __name__)


class Moved(HTTPException):
    """The person has another name. They may take the old one back, so nobody is to keep this."""

    code = 302

    def __init__(self, address: str) -> None:
        super().__init__(response=redirect(address, 302))


class ProfileForm(Form):
    """How someone presents themselves."""

    display_name = StringField()
    about_me = TextAreaField()
    avatar = FileField()
    remove_avatar = BooleanField()


@blueprint.get("/user/<username>")
async def profile(username: str) -> str:
    """Show a person and what they wrote, without their replies to others."""
    return await _profile(username, with_replies=False)


@blueprint.get("/user/<username>/with_replies")
async def with_replies(username: str) -> str:
    """Show a person and all that they wrote."""
    return await _profile(username, with_replies=True)


async def _profile(username: str, *, with_replies: bool) -> str:
    async with runtime().database.read() as read:
        visitor, person = await _open(read, username)
        window = paging.window(runtime().settings.posts_per_page)
        page = await posts.by_author(read, person.id, visitor.id, window, with_replies=with_replies)
        following = await _follows(read, visitor.id, person.id)
        return await templates.render(
            "people/profile.html",
            person=views.person(person),
            page=pages.of_posts(page, visitor.id),
            following=following,
            with_replies=with_replies,
        )


@blueprint.get("/user/<username>/popup")
async def popup(username: str) -> str:
    """Show a person in short: a part, for the card beside a link to them."""
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        person = await users.by_username(read, username)
        following = await _follows(read, visitor.id, person.id)
    return await templates.render(
        "people/_card.html", person=views.person(person), following=following
    )


async def _follows(read: Read, visitor_id: int | None, person_id: int) -> bool:
    return visitor_id is not None and await users.is_following(read, visitor_id, person_id)


async def _open(read: Read, username: str) -> tuple[auth.Visitor, User]:
    """Begin a page about a person: the position first, and the topic needs their id.

    Raises Moved, to the same page, where the person is called otherwise by now.
    """
    visitor = await layout.open_page(read)
    person = await users.by_username(read, username)
    if person.username.lower() != username.lower():
        raise Moved(url_for(request.endpoint or "", username=person.username))
    layout.listen_to(f"user:{person.id}")
    return visitor, person


@blueprint.get("/user/<username>/followers")
async def followers(username: str) -> str:
    """Show who follows a person."""
    return await _related(username, "followers", users.followers)


@blueprint.get("/user/<username>/following")
async def following(username: str) -> str:
    """Show whom a person follows."""
    return await _related(username, "following", users.following)


async def _related(
    username: str, kind: str, query: Callable[[Read, int, Window], Awaitable[Page[User]]]
) -> str:
    async with runtime().database.read() as read:
        _visitor, person = await _open(read, username)
        page = await query(read, person.id, paging.window(runtime().settings.posts_per_page))
        return await templates.render(
            "people/list.html",
            person=views.person(person),
            people=[views.person(each) for each in page.items],
            kind=kind,
            older=pages.neighbour("before", page.before),
            newer=pages.neighbour("after", page.after),
        )


@blueprint.post("/follow/<username>")
async def follow(username: str) -> Any:
    """Follow a person."""
    actor = await auth.person()
    async with runtime().database.write() as tx:
        person = await users.by_username(tx, username)
        try:
            await follows.follow(tx, actor, person, datetime.now(UTC))
        except Conflict as conflict:
            await flash(say(conflict.reason) if conflict.reason else "", "danger")
    return await _back(person)


@blueprint.post("/unfollow/<username>")
async def unfollow(username: str) -> Any:
    """Stop following a person."""
    actor = await auth.person()
    async with runtime().database.write() as tx:
        person = await users.by_username(tx, username)
        await follows.unfollow(tx, actor, person)
    return await _back(person)


async def _back(person: User) -> Any:
    fields = await forms.sent()
    return redirect(safe_next(fields.get("next"), views.profile_path(person.username)), 303)


@blueprint.get("/edit_profile")
async def edit_profile() -> Any:
    """Show one's own profile to be edited."""
    user = await auth.person()
    form = ProfileForm(data={"display_name": user.display_name, "about_me": user.about_me})
    return await _show_form(form)


@blueprint.post("/edit_profile")
@shows_form_again
async def save_profile() -> Any:
    """Keep an edited profile, with the picture that came along or without the one there was."""
    user = await auth.person()
    try:
        form = ProfileForm(await forms.sent())
    except RequestEntityTooLarge:
        return await _told_too_large(user)
    if not form.validate():
        form.form_errors.append(say(STALE))
        return await _show_form(form, 403)
    try:
        squares = await uploads.squares_sent()
        async with runtime().database.write() as tx:
            await _save(tx, user, form, squares)
    except Invalid as invalid:
        form.refuse(invalid)
        return await _show_form(form, 400)
    await flash(_("Your profile was saved."), "success")
    return redirect(url_for("people.profile", username=user.username), 303)


async def _save(tx: Tx, user: User, form: ProfileForm, squares: Squares | None) -> None:
    await accounts.edit_profile(tx, user, form.display_name.data or "", form.about_me.data or "")
    if squares is not None:
        await avatars.change(tx, user, squares, datetime.now(UTC))
    elif form.remove_avatar.data:
        await avatars.remove(tx, user)


async def _told_too_large(user: User) -> Any:
    await uploads.let_fall()
    form = ProfileForm(data={"display_name": user.display_name, "about_me": user.about_me})
    form.refuse(uploads.too_large())
    return await _show_form(form, 413)


async def _show_form(form: ProfileForm, status: int = 200) -> Any:
    async with runtime().database.read() as read:
        await layout.open_page(read)
    return await templates.render("people/edit_profile.html", form=form), status
