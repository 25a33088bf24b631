"""`microblog db copy`: a whole community in another database, of every kind into every other."""

import asyncio
import re
from typing import Any

import pytest

from microblog.actions import copying as writing
from microblog.database import Database
from microblog.queries import copying
from microblog.realtime import replay
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.copies import copied, end_of, found, found_messages, go_on, rows, some_life
from tests.cli.databases import on
from tests.conftest import all_databases

ROUND = [("sqlite", "postgres"), ("postgres", "mariadb"), ("mariadb", "sqlite")]
from_every_kind_to_the_next = pytest.mark.parametrize(("backend", "target"), ROUND, indirect=True)


@from_every_kind_to_the_next
def test_copy_has_every_row_and_goes_on_by_itself(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGE_ROWS", 2)
    on(settings, some_life)
    before, end = on(settings, rows), on(settings, end_of)
    told = run.works("db", "copy", "--to", target)
    assert f"Counts and checksums of all {len(copying.TABLES)} tables agree." in told
    assert "Copying: 100 %" in told
    assert "Meanwhile" not in told
    made = copied(settings, target)
    assert on(made, rows) == before == on(settings, rows)
    assert len(before["session"]) == 1  # who is signed in stays so
    assert [name for name, held in before.items() if len(held) > 2][:3] == [
        "translation",
        "try",
        "user",
    ]
    # Its own history has begun, beyond every number of the original.
    assert on(made, end_of).epoch != end.epoch
    assert on(made, end_of).cursor == end.cursor + 1
    assert on(made, found_messages) == 1
    assert on(made, lambda database: found(database, "한글")) == ["mina"]
    assert on(made, lambda database: found(database, "tea")) == ["bora", "jun"]
    user_id, session_id, post_id = on(made, go_on)
    assert user_id > max(row["id"] for row in before["user"])
    assert session_id == 3  # of which the second is gone
    assert post_id > end.cursor + 1
    assert run("db", "check", MICROBLOG_DATABASE_URL=target).exit_code == 0


def test_clients_of_the_original_load_anew_whatever_they_say(
    run: Run, settings: Settings, target: str
) -> None:
    on(settings, some_life)
    old = on(settings, end_of)
    run.works("db", "copy", "--to", target)
    on(copied(settings, target), go_on)

    async def told(database: Database) -> list[str | None]:
        async with database.read() as read:
            known = [(str(old.cursor), old.epoch), (str(old.cursor), None), ("1", None)]
            return [(await replay.start(read, since, epoch)).resync for since, epoch in known]

    assert on(copied(settings, target), told) == ["epoch", "expired", "expired"]


@all_databases
def test_what_is_written_meanwhile_stays_behind_and_is_told(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(settings, some_life)
    put, begun = writing.put, on(settings, rows)

    async def write_and_put(*arguments: Any) -> None:
        monkeypatch.setattr(writing, "put", put)
        await asyncio.to_thread(on, settings, go_on)
        await put(*arguments)

    monkeypatch.setattr(writing, "put", write_and_put)
    told = run.works("db", "copy", "--to", target)
    assert re.search(r"Meanwhile there (was|were) \d+ events? in the original, which", told)
    made = on(copied(settings, target), rows)
    assert made == begun | {"session": []}  # one of them may have been ended meanwhile
    # No number that was given out meanwhile comes again.
    assert on(copied(settings, target), end_of).cursor == on(settings, end_of).cursor + 1
