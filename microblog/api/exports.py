"""Everything that is one's own, in a file: asked for, watched, fetched."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify

from microblog.actions import exports
from microblog.api import expectations, openapi, paging
from microblog.core.errors import NotFound
from microblog.core.tasks import ExportPosts
from microblog.edge import auth
from microblog.queries import jobs
from microblog.queries.jobs import JobRow
from microblog.render import downloads, views
from microblog.render import json as as_json
from microblog.runtime import runtime

blueprint = Blueprint("exports", __name__, url_prefix="/exports")

State = Literal["waiting", "running", "cancelling", "done", "dead", "cancelled"]


class ExportLinks(BaseModel):
    """Addresses around an export."""

    self: str
    file: str | None = Field(description="The archive, while there is one.")


class Export(BaseModel):
    """How far an export has come."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "12",
                    "state": "done",
                    "progress": 100,
                    "created_at": "2026-01-02T03:04:05.678Z",
                    "finished_at": "2026-01-02T03:04:15.678Z",
                    "kept_until": "2026-01-04T03:04:15.678Z",
                    "_links": {"self": "/api/exports/12", "file": "/api/exports/12/file"},
                }
            ]
        }
    )

    id: str
    state: State
    progress: int = Field(description="0 to 100.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    finished_at: str | None = Field(json_schema_extra={"format": "date-time"})
    kept_until: str | None = Field(
        description="When the archive is deleted; null where there is none.",
        json_schema_extra={"format": "date-time"},
    )
    links: ExportLinks = Field(alias="_links")


@blueprint.post("")
@openapi.answers(202, Export, "It is being made.", location=True)
@openapi.signed_in
async def start() -> Response:
    """Let an archive be made of everything that is yours.

    There is one at a time: while it is being made, this leads to it. How far it has come is
    told by `/live` too, as items of the kind `job`.
    """
    user = await auth.person()
    async with runtime().database.write() as tx:
        await exports.start(tx, user)
    async with runtime().database.read() as read:
        row = await jobs.latest(read, user.id, ExportPosts.kind)
    if row is None:
        raise NotFound  # the account was deleted meanwhile
    answer = jsonify(_shown(row))
    answer.status_code = 202
    answer.headers["Location"] = f"/api/exports/{row.id}"
    return answer


@blueprint.get("/<export_id>")
@openapi.answers(200, Export, "How far it has come.")
@openapi.signed_in
async def show(export_id: str) -> Response:
    """Tell how far one of your exports has come."""
    row = await downloads.own_export(await auth.person(), paging.number(export_id))
    return jsonify(_shown(row))


@blueprint.get("/<export_id>/file")
@expectations.offers(downloads.ZIP)
@openapi.answers(200, None, "The archive.")
@openapi.signed_in
async def download(export_id: str) -> Response:
    """Fetch the archive: a zip with `posts.json` and the rest, all in JSON and text."""
    return await downloads.export_file(await auth.person(), paging.number(export_id))


def _shown(row: JobRow) -> dict[str, Any]:
    until = views.kept_until(row)
    links = {"self": f"/api/exports/{row.id}", "file": None}
    if until is not None:
        links["file"] = f"/api/exports/{row.id}/file"
    told = {name: value for name, value in as_json.job(row).items() if name != "kind"}
    kept = {"kept_until": as_json.moment(until) if until is not None else None}
    return told | kept | {"_links": links}
