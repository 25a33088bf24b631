"""A peer: the API of the Flask Mega-Tutorial's shape (its chapter 23), under one sync worker.

One random token a person, kept in the person's row until it has less than a minute left; people
with three counts each; collections with `_meta` and `_links`. Its feed is the home query of
`flask_tutorial`, as the tutorial has no such call. An ETag it gets as Flask's documentation has it.

https://blog.miguelgrinberg.com/post/the-flask-mega-tutorial-part-xxiii-application-programming-interfaces-apis
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, abort, g, request, url_for
from sqlalchemy import Select, func, select
from werkzeug.security import check_password_hash

from benchmarks.peers.flask_tutorial import PER_PAGE, Post, User, db, feed, followers, publish

LIFE, LEAST = timedelta(hours=1), timedelta(seconds=60)


def create_app(database: str) -> Flask:
    """Make the app for an SQLite file."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{database}"
    db.init_app(app)
    app.before_request(find_reader)
    app.after_request(tag)
    app.add_url_rule("/api/tokens", view_func=take, methods=["POST"])
    app.add_url_rule("/api/users/<int:number>", view_func=person)
    app.add_url_rule("/api/users", view_func=people)
    app.add_url_rule("/api/feed", view_func=feed)
    app.add_url_rule("/api/posts", view_func=publish, methods=["POST"])
    return app


def find_reader() -> None:
    given = request.authorization
    if given is not None and given.type == "bearer":
        g.reader = db.session.scalar(select(User).where(User.token == given.token))
        if g.reader is None or g.reader.token_expiration < _now():
            abort(401)
    elif request.endpoint != "take":
        abort(401)


def tag(response: Response) -> Response:
    if request.method == "GET" and response.status_code == 200:
        response.add_etag()
        response.make_conditional(request)
    return response


def take() -> Any:
    given = request.authorization
    if given is None or given.type != "basic":
        abort(401)
    found = db.session.scalar(select(User).where(User.username == given.username))
    if found is None or not check_password_hash(found.password_hash, given.password):
        abort(401)
    if not found.token or found.token_expiration < _now() + LEAST:
        found.token = secrets.token_hex(16)
        found.token_expiration = _now() + LIFE
    db.session.commit()
    return {"token": found.token}


def person(number: int) -> Any:
    return _shown(db.get_or_404(User, number))


def people() -> Any:
    number = request.args.get("page", 1, type=int)
    per_page = min(request.args.get("per_page", PER_PAGE, type=int), 100)
    page = db.paginate(select(User), page=number, per_page=per_page, error_out=False)

    def address(number: int) -> str:
        return url_for("people", page=number, per_page=per_page)

    return {
        "items": [_shown(each) for each in page.items],
        "_meta": {
            "page": number,
            "per_page": per_page,
            "total_pages": page.pages,
            "total_items": page.total,
        },
        "_links": {
            "self": address(number),
            "next": address(page.next_num) if page.has_next else None,
            "prev": address(page.prev_num) if page.has_prev else None,
        },
    }


def _shown(user: User) -> dict[str, Any]:
    counts = {
        "post_count": _count(select(Post).where(Post.user_id == user.id)),
        "follower_count": _count(select(followers).where(followers.c.followed_id == user.id)),
        "following_count": _count(select(followers).where(followers.c.follower_id == user.id)),
    }
    return user.shown() | counts


def _count(rows: Select[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
