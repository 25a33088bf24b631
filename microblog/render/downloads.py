"""The files of exports, handed out to their person by the pages and by the API."""

from datetime import UTC, datetime

from quart import Response, send_file

from microblog import export_files
from microblog.core.errors import NotFound
from microblog.core.tasks import ExportPosts
from microblog.models import User
from microblog.queries import jobs
from microblog.queries.jobs import JobRow
from microblog.render import views
from microblog.runtime import runtime

ZIP = "application/zip"


async def own_export(user: User, export_id: int) -> JobRow:
    """Return a person's own export, finished or not; raises NotFound."""
    async with runtime().database.read() as read:
        found = await jobs.own(read, user.id, export_id)
    if found is None or found.kind != ExportPosts.kind:
        raise NotFound
    return found


async def export_file(user: User, export_id: int) -> Response:
    """Hand out a person's own export, for as long as it is kept; raises NotFound."""
    until = views.kept_until(await own_export(user, export_id))
    path = export_files.path(runtime().settings.data_dir, user.id, export_id)
    if until is None or until <= datetime.now(UTC) or not path.is_file():
        raise NotFound
    name = f"microblog-{user.username}.zip"
    answer = await send_file(path, mimetype=ZIP, as_attachment=True, attachment_filename=name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
