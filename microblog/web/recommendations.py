"""Whom to follow, in the right column of pages."""

from microblog.database import Read
from microblog.models import User
from microblog.queries import recommendations
from microblog.render import views
from microblog.render.views import PersonView
from microblog.runtime import runtime

SHOWN = 5


async def of(read: Read, user: User) -> list[PersonView]:
    """Return whom somebody may like to follow.

    Whom that is takes ten times as long to find as to read: it is kept for a minute, and found anew
    at once after they followed somebody, or where one of those has gone.
    """
    kept, key = runtime().suggested, (user.id, user.following_count)
    found = await recommendations.those(read, user.id, kept[key]) if key in kept else []
    if len(found) < SHOWN:
        found = await recommendations.people(read, user.id, SHOWN)
        if len(found) == SHOWN:  # a small place changes with everybody who comes
            kept[key] = [person.id for person in found]
    return [views.person(each) for each in found]
