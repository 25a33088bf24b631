"""One's own jobs: stopping them. How far they have come is shown where each belongs."""

from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, Response, redirect, url_for

from microblog.actions import jobs
from microblog.core.cursors import GREATEST
from microblog.core.locators import safe_next
from microblog.edge import auth, forms
from microblog.edge.request import wants_json
from microblog.runtime import runtime

blueprint = Blueprint("jobs", __name__)


@blueprint.post(f"/jobs/<int(max={GREATEST}):job_id>/cancel")
async def cancel(job_id: int) -> Any:
    """Let one's own job not be done, or stop it."""
    user = await auth.person()
    async with runtime().database.write() as tx:
        await jobs.cancel(tx, job_id, datetime.now(UTC), user_id=user.id)
    if wants_json():
        return Response(status=204)
    fields = await forms.sent()
    return redirect(safe_next(fields.get("next"), url_for("timelines.home")), 303)
