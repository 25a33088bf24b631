"""A peer: a small Flask-SQLAlchemy app of the Mega-Tutorial's shape, under one sync worker.

Its tables, its home query (joins, an or, a group, sorted by time), its numbered pages with their
count, posts that load their authors one by one, a page with a form, and the same feed as JSON.
The time of the last visit is written at every request, as the tutorial does; `visits` can be off.
Left out, each in its favour: the guess of a post's language, the CSRF token, translations, and
Moment.js.

https://blog.miguelgrinberg.com/post/the-flask-mega-tutorial-part-i-hello-world
"""

from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

from flask import Flask, abort, g, redirect, render_template, request, session, url_for
from flask_sqlalchemy import SQLAlchemy
from jinja2 import DictLoader
from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Integer,
    Select,
    String,
    Table,
    create_engine,
    event,
    insert,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, WriteOnlyMapped, aliased, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from benchmarks.archive import Archive, about, username
from benchmarks.peers.flask_pages import PAGES

PER_PAGE = 25
LONGEST = 500
PASSWORD = "a long enough sentence"
BATCH_ROWS = 20_000

db = SQLAlchemy()

followers = Table(
    "followers",
    db.metadata,
    Column("follower_id", Integer, ForeignKey("user.id"), primary_key=True),
    Column("followed_id", Integer, ForeignKey("user.id"), primary_key=True),
)


class User(db.Model):  # type: ignore[name-defined]
    """A person."""

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), index=True, unique=True)
    email: Mapped[str] = mapped_column(String(120), index=True, unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(256))
    about_me: Mapped[str | None] = mapped_column(String(140))
    last_seen: Mapped[datetime | None]
    token: Mapped[str | None] = mapped_column(String(32), index=True, unique=True)
    token_expiration: Mapped[datetime | None]

    posts: WriteOnlyMapped["Post"] = relationship(back_populates="author")
    following: WriteOnlyMapped["User"] = relationship(
        secondary=followers,
        primaryjoin="followers.c.follower_id == User.id",
        secondaryjoin="followers.c.followed_id == User.id",
        back_populates="followers",
    )
    followers: WriteOnlyMapped["User"] = relationship(
        secondary=followers,
        primaryjoin="followers.c.followed_id == User.id",
        secondaryjoin="followers.c.follower_id == User.id",
        back_populates="following",
    )

    def avatar(self, size: int) -> str:
        digest = md5(self.email.lower().encode(), usedforsecurity=False).hexdigest()
        return f"https://www.gravatar.com/avatar/{digest}?d=identicon&s={size}"

    def home(self) -> Select[tuple["Post"]]:
        author, follower = aliased(User), aliased(User)
        return (
            select(Post)
            .join(Post.author.of_type(author))
            .join(author.followers.of_type(follower), isouter=True)
            .where(or_(follower.id == self.id, author.id == self.id))
            .group_by(Post)
            .order_by(Post.timestamp.desc())
        )

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "username": self.username,
            "about_me": self.about_me,
            "last_seen": f"{self.last_seen.isoformat()}Z" if self.last_seen else None,
            "_links": {"self": f"/api/users/{self.id}", "avatar": self.avatar(128)},
        }


class Post(db.Model):  # type: ignore[name-defined]
    """A post."""

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(LONGEST))
    timestamp: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)

    author: Mapped[User] = relationship(back_populates="posts")

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "body": self.body,
            "timestamp": f"{self.timestamp.isoformat()}Z",
            "author": self.author.shown(),
            "_links": {"self": f"/api/posts/{self.id}", "author": f"/api/users/{self.user_id}"},
        }


def create_app(database: str, visits: bool = True) -> Flask:
    """Make the app for an SQLite file."""
    app = Flask(__name__)
    app.secret_key = "only for a benchmark"
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{database}"
    app.jinja_loader = DictLoader(PAGES)  # type: ignore[assignment]
    db.init_app(app)
    app.before_request(find_reader)
    if visits:
        app.before_request(note_visit)
    app.add_url_rule("/", view_func=home, methods=["GET", "POST"])
    app.add_url_rule("/login", view_func=login, methods=["POST"])
    app.add_url_rule("/api/feed", view_func=feed)
    app.add_url_rule("/api/posts", view_func=publish, methods=["POST"])
    return app


def find_reader() -> None:
    number = session.get("user_id")
    g.reader = db.session.get(User, number) if number is not None else None
    if g.reader is None and request.endpoint != "login":
        abort(401)


def note_visit() -> None:
    if g.reader is not None:
        g.reader.last_seen = datetime.now(UTC).replace(tzinfo=None)
        db.session.commit()


def login() -> Any:
    found = db.session.scalar(select(User).where(User.username == request.form["username"]))
    if found is None or not check_password_hash(found.password_hash, request.form["password"]):
        abort(401)
    session["user_id"] = found.id
    return redirect(url_for("home"))


def home() -> Any:
    if request.method == "POST":
        _write(request.form.get("post", ""))
        return redirect(url_for("home"))
    number = request.args.get("page", 1, type=int)
    page = db.paginate(g.reader.home(), page=number, per_page=PER_PAGE, error_out=False)
    return render_template(
        "home.html",
        posts=page.items,
        newer=url_for("home", page=page.prev_num) if page.has_prev else None,
        older=url_for("home", page=page.next_num) if page.has_next else None,
    )


def feed() -> Any:
    number = request.args.get("page", 1, type=int)
    page = db.paginate(g.reader.home(), page=number, per_page=PER_PAGE, error_out=False)
    return {
        "items": [post.shown() for post in page.items],
        "_meta": {"page": number, "total_pages": page.pages, "total_items": page.total},
        "_links": {"next": url_for("feed", page=page.next_num) if page.has_next else None},
    }


def publish() -> Any:
    return _write((request.get_json() or {}).get("body", "")).shown(), 201


def _write(body: str) -> Post:
    if not 0 < len(body.strip()) <= LONGEST:
        abort(400)
    post = Post(body=body, author=g.reader, timestamp=datetime.now(UTC).replace(tzinfo=None))
    db.session.add(post)
    db.session.commit()
    return post


def fill(database: Path, archive: Archive) -> None:
    """Make the tables in a new file and write an archive; everyone's password is `PASSWORD`."""
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def hurry(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    _tables(engine)
    hashed, until = generate_password_hash(PASSWORD), archive.until.replace(tzinfo=None)
    people = [
        {
            "id": number,
            "username": username(number),
            "email": f"{username(number)}@example.org",
            "password_hash": hashed,
            "about_me": about(number),
            "last_seen": until,
        }
        for number in archive.ids
    ]
    pairs = [{"follower_id": a, "followed_id": b} for a, b in archive.follows()]
    with engine.begin() as connection:
        connection.execute(insert(User), people)
        connection.execute(insert(followers), pairs)
        rows = []
        for post in archive.written():
            at = post.created_at.replace(tzinfo=None)
            rows.append({"body": post.body, "user_id": post.author_id, "timestamp": at})
            if len(rows) >= BATCH_ROWS:
                connection.execute(insert(Post), rows)
                rows = []
        if rows:
            connection.execute(insert(Post), rows)
    engine.dispose()


def _tables(engine: Engine) -> None:
    db.metadata.create_all(engine)
