"""For administrators: how the server is doing, live."""

from quart import Blueprint

from microblog.edge import figures, templates
from microblog.realtime.topics import FIGURES
from microblog.render import figures as shown
from microblog.runtime import runtime
from microblog.web import layout
from microblog.web.administration import administrator

blueprint = Blueprint("figures", __name__, url_prefix="/admin")


@blueprint.get("/server")
async def server() -> str:
    """Show the main figures of all processes of this server."""
    await administrator()
    async with runtime().database.read() as read:
        await layout.open_page(read, FIGURES)
    known = shown.summary(await figures.gather(runtime()))
    return await templates.render("administration/server.html", figures=shown.markup(known))
