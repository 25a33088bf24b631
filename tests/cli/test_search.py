"""`microblog search`."""

from microblog.database import Database
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.test_user import on
from tests.people import MakePost, MakeUser
from tests.search import ids_of


def test_index_is_made_anew(run: Run, settings: Settings) -> None:
    async def write(database: Database) -> int:
        mina = await MakeUser(database)("mina")
        return (await MakePost(database)(mina, "한글은 좋다")).id

    post_id = on(settings, write)
    for _ in range(2):
        assert "Made anew in" in run.works("search", "reindex")
        assert on(settings, ids_of) == [post_id]


def test_server_that_is_away_is_told_in_a_sentence(run: Run) -> None:
    told = run.fails(
        "search", "reindex", MICROBLOG_ELASTICSEARCH_URL="http://nobody:s3cret@127.0.0.1:1"
    )
    assert "out of reach" in told
    assert "s3cret" not in told
