"""Questions: the form to ask one, lists of them, one with its answers, and accepting an answer."""

from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from quart import Blueprint, Response, flash, jsonify, redirect, request, url_for
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from microblog.actions import posts, questions
from microblog.actions.posts import Draft
from microblog.actions.questions import Asking
from microblog.core import cursors
from microblog.core.cursors import GREATEST, Page
from microblog.core.drafts import QUESTION, context_of
from microblog.core.errors import Invalid, NotFound, NotSignedIn, Unavailable, message
from microblog.core.markup import tag_name
from microblog.database import Read
from microblog.edge import auth, authoring, forms, limits, paging, searching, templates
from microblog.edge.csrf import shows_form_again
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.request import wants_json
from microblog.models import User
from microblog.queries import drafts
from microblog.queries import questions as question_queries
from microblog.queries.events import HOME, QUESTIONS
from microblog.queries.rows import PostRow
from microblog.render import fragments, views
from microblog.runtime import runtime
from microblog.web import layout, pages, refusals
from microblog.web.compose import PostForm, as_left, fresh_form, version_of
from microblog.web.timelines import show_home

QUESTION_ID = f"<int(max={GREATEST}):question_id>"
SIMILAR = 5
SIMILAR_KEPT = "private, max-age=30"
IS_QUESTION = ":has([data-question])"

blueprint = Blueprint("questions", __name__)


# --- Asking -------------------------------------------------------------------------------------


class QuestionForm(Form):
    """A question; the domain checks what it says, the key makes a double click one question."""

    title = StringField()
    body = TextAreaField()
    tags = StringField()
    language = StringField()
    idempotency_key = HiddenField(validators=[Length(max=200)])
    draft_version = HiddenField()


@blueprint.get("/main/question")
async def ask() -> Any:
    """Show the form for a question, as it was left."""
    asker = await auth.person()
    async with runtime().database.read() as read:
        left = await drafts.of(read, asker.id, QUESTION)
    form = QuestionForm(data={"draft_version": "0"} if left is None else as_left(left))
    form.idempotency_key.data = forms.new_key()
    return await _show_form(form)


@blueprint.post("/main/question")
@shows_form_again
async def publish() -> Any:
    """Ask. What cannot be asked is shown again, with the reason and with questions like it."""
    form = QuestionForm(await forms.sent())
    title, body, tags = (field.data or "" for field in (form.title, form.body, form.tags))
    try:
        asker = await auth.person()
    except NotSignedIn:
        return await refusals.log_in_first("\n\n".join(filter(None, (title, body, tags))))
    if not form.validate():
        return await _refuse(form, refusals.of_form(form))
    try:
        limits.count_post(asker.id)
        language = await authoring.language_of(f"{title}\n{body}", form.language.data)
        key, saved = form.idempotency_key.data or None, version_of(form)
        asking = Asking(title, body, tags, key, language, saved)
        async with runtime().database.write() as tx:
            question = await questions.ask(tx, asker, asking, datetime.now(UTC))
    except refusals.REFUSALS as refusal:
        if isinstance(refusal, Invalid):
            # The domain calls every text "post".
            told = {{"post": "body"}.get(k, k): v for k, v in refusal.errors.items()}
            refusal = Invalid(told)
        return await _refuse(form, refusals.of_domain(form, refusal))
    return redirect(views.question_path(question.id), 303)


async def _refuse(form: QuestionForm, refused: refusals.Refused) -> Any:
    status, headers = refused
    return await _show_form(form), status, headers


async def _show_form(form: QuestionForm) -> str:
    runtime().warm_guesser()
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        alike = await _similar(read, visitor.id, form.title.data or "")
        return await templates.render("main/question.html", form=form, similar=alike)


@blueprint.get("/questions/similar")
async def similar() -> Response:
    """Show, as a part of a page, the questions like one that is being written."""
    async with runtime().database.read() as read:
        visitor = await auth.may_read(read)
        alike = await _similar(read, visitor.id, request.args.get("title", ""))
    answer = Response(alike, content_type="text/html; charset=utf-8")
    answer.headers["Cache-Control"] = SIMILAR_KEPT
    return answer


async def _similar(read: Read, viewer_id: int | None, title: str) -> Markup:
    try:
        found = await question_queries.similar(read, title, searching.asked(viewer_id, SIMILAR))
    except Unavailable:
        return Markup()  # asking goes on without the search server
    return fragments.similar(found)


# --- Lists --------------------------------------------------------------------------------------


@blueprint.get("/questions")
async def index() -> str:
    """Show all questions, newest first."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, QUESTIONS)
        window = paging.window(runtime().settings.posts_per_page)
        page = await question_queries.newest(read, visitor.id, window)
        return await _list(page, visitor.id, "all")


@blueprint.get("/questions/<any(open,answered):state>")
async def in_state(state: str) -> str:
    """Show the questions that are open, or that are answered."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, QUESTIONS)
        window = paging.window(runtime().settings.posts_per_page)
        page = await question_queries.newest(read, visitor.id, window, state)
        return await _list(page, visitor.id, state, only=f":has([data-question={state}])")


@blueprint.get("/questions/mine")
async def mine() -> str:
    """Show what one asked oneself."""
    asker = await auth.person()
    async with runtime().database.read() as read:
        await layout.open_page(read, QUESTIONS)
        window = paging.window(runtime().settings.posts_per_page)
        page = await question_queries.by_author(read, asker.id, asker.id, window)
        only = f'[data-author-id="{asker.id}"]{IS_QUESTION}'
        return await _list(page, asker.id, "mine", only=only)


@blueprint.get("/questions/tag/<name>")
async def tagged(name: str) -> str:
    """Show the questions with a hashtag."""
    folded = tag_name(name)
    if folded is None:
        raise NotFound
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read, f"tag:{folded}")
        window = paging.window(runtime().settings.posts_per_page)
        page = await question_queries.by_tag(read, folded, visitor.id, window)
        return await _list(page, visitor.id, "tag", tag=folded)


async def _list(
    page: Page[PostRow],
    viewer_id: int | None,
    shown: str,
    *,
    tag: str = "",
    only: str = IS_QUESTION,
) -> str:
    shared = {"shown": shown, "tag": tag, "only": f".post{only}"}
    return await templates.render(
        "questions/index.html", page=pages.of_posts(page, viewer_id), **shared
    )


# --- One question -------------------------------------------------------------------------------


@blueprint.get(f"/question/{QUESTION_ID}")
async def show(question_id: int) -> str:
    """Show a question and its answers."""
    async with runtime().database.read() as read:
        return await _show(read, question_id)


async def _show(read: Read, question_id: int, form: PostForm | None = None) -> str:
    visitor = await layout.open_page(read, f"post:{question_id}")
    question = await question_queries.one(read, question_id, visitor.id)
    window = paging.window(runtime().settings.posts_per_page)
    page = await question_queries.answers(read, question, visitor.id, window)
    answers = list(page.items)
    if page.before is None:
        best = await question_queries.accepted(read, question, visitor.id)
        answers[:0] = [best] if best is not None else []
    asks = question.author_id == visitor.id
    path = views.question_path(question_id)
    if form is None:
        context = context_of(question_id)
        left = None if visitor.id is None else await drafts.of(read, visitor.id, context)
        form = fresh_form(left)
    return await templates.render(
        "questions/show.html",
        post=views.post(question),
        item=fragments.item(question, own=asks),
        answers=[
            fragments.answer(row, question, own=row.author_id == visitor.id, asks=asks)
            for row in answers
        ],
        takes_new=page.after is None,
        older=pages.neighbour("before", page.before, path),
        newer=pages.neighbour("after", page.after, path),
        form=form,
        context=context_of(question_id),
        action=url_for("questions.answer", question_id=question_id),
        asks=asks,
    )


@blueprint.post(f"/question/{QUESTION_ID}/answers")
@shows_form_again
async def answer(question_id: int) -> Any:
    """Answer a question. What cannot be published is shown again, with the reason."""
    form = PostForm(await forms.sent())
    body = form.post.data or ""
    try:
        author = await auth.person()
    except NotSignedIn:
        if wants_json():
            raise
        return await refusals.log_in_first(body)
    if not form.validate():
        return await _refuse_answer(question_id, author, form, refusals.of_form(form))
    key = request.headers.get("Idempotency-Key") or form.idempotency_key.data or None
    try:
        limits.count_post(author.id)
        language = await authoring.language_of(body, form.language.data)
        async with runtime().database.write() as tx:
            await question_queries.one(tx, question_id, author.id)
            draft = Draft(body, key, language, question_id, saved=version_of(form))
            post = await posts.publish(tx, author, draft, datetime.now(UTC))
    except refusals.REFUSALS as refusal:
        refused = refusals.of_domain(form, refusal)
        return await _refuse_answer(question_id, author, form, refused)
    except NotFound:
        if wants_json():
            raise
        form.refuse(Invalid({"post": [message("The post that you answer is gone.")]}))
        return await _refuse_answer(question_id, author, form, (404, {}))
    address = f"{views.question_path(question_id)}#post-{post.id}"
    if wants_json():
        told = jsonify(fragments.told(post))
        return told, 201, {"Location": address}
    return redirect(address, 303)


async def _refuse_answer(
    question_id: int, author: User, form: PostForm, refused: refusals.Refused
) -> Any:
    """Show the question again around what was typed; home, where the question is gone."""
    status, headers = refused
    async with runtime().database.read() as read:
        try:
            return await _show(read, question_id, form), status, headers
        except NotFound:
            await layout.open_page(read, HOME)
            return await show_home(read, author, form), status, headers


@blueprint.post(f"/question/{QUESTION_ID}/accepted")
async def accept(question_id: int) -> Any:
    """Accept the answer `answer_id` to one's own question, or none where it is empty."""
    asker = await auth.person()
    try:
        answer_id = cursors.parse((await forms.sent()).get("answer_id"))
    except ValueError:
        raise NotFound from None
    async with runtime().database.write() as tx:
        await questions.accept(tx, asker, question_id, answer_id, datetime.now(UTC))
    if wants_json():
        return Response(status=204)
    said = _("You accepted no answer.") if answer_id is None else _("You accepted this answer.")
    await flash(said, "success")
    return redirect(views.question_path(question_id), 303)
