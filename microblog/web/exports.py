"""Everything that is one's own, in a file: asking for it, watching it come, fetching it."""

from typing import Any

from quart import Blueprint, Response, jsonify, redirect, url_for

from microblog.actions import exports
from microblog.core.cursors import GREATEST
from microblog.core.errors import NotSignedIn
from microblog.core.tasks import ExportPosts
from microblog.edge import auth, templates
from microblog.edge.request import wants_json
from microblog.queries import jobs
from microblog.render import downloads, fragments
from microblog.render import json as as_json
from microblog.runtime import runtime
from microblog.web import layout

blueprint = Blueprint("exports", __name__)


@blueprint.get("/export_posts")
async def index() -> Any:
    """Show how far one's export has come, and where it is; as JSON when that is asked for."""
    async with runtime().database.read() as read:
        visitor = await layout.open_page(read)
        if visitor.id is None:
            raise NotSignedIn
        latest = await jobs.latest(read, visitor.id, ExportPosts.kind)
        if wants_json():
            return jsonify(as_json.job(latest) if latest is not None else None)
        return await templates.render("exports/index.html", export=fragments.export(latest))


@blueprint.post("/export_posts")
async def start() -> Any:
    """Let one's export be made, unless that is going on."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        await exports.start(tx, user)
    if wants_json():
        return Response(status=202, headers={"Location": url_for("exports.index")})
    return redirect(url_for("exports.index"), 303)


@blueprint.get(f"/export_posts/<int(max={GREATEST}):export_id>.zip")
async def download(export_id: int) -> Any:
    """Hand out one's own export, for as long as it is kept."""
    return await downloads.export_file(await auth.person(), export_id)
