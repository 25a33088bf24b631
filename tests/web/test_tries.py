"""Tries to log in: ten in five minutes for an account and for a network, then one must wait."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import update

from microblog import create_app
from microblog.database import Database
from microblog.models import Try
from microblog.settings import Settings
from tests.conftest import all_databases, both_databases
from tests.people import MakeUser, Visit
from tests.web.browsing import LOGIN, Work, log_in, peer

WRONG = "not the password"
TRIES = 10


@both_databases
async def test_eleventh_try_waits_even_with_the_right_password_and_costs_no_work(
    visit: Visit, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user()
    work = Work(monkeypatch)
    for _ in range(TRIES):
        assert (await log_in(await visit(), password=WRONG)).status_code == 401
    assert work.done == (TRIES, 0)
    answer = await log_in(await visit())
    assert answer.status_code == 429
    assert 290 <= int(answer.headers["Retry-After"]) <= 300
    page = await answer.get_data(as_text=True)
    assert "Please wait 2" in page or "Please wait 3" in page
    assert 'value="mina"' in page
    assert work.done == (TRIES, 0)


async def test_tries_of_an_account_count_together_by_any_name_and_from_anywhere(
    visit: Visit, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user()
    work = Work(monkeypatch)
    names = ["mina", "MINA", " mina", "mina@example.org", "Mina@Example.Org"] * 3
    statuses = []
    for number, name in enumerate(names):
        answer = await log_in(await visit(), name, WRONG, **peer(f"10.0.0.{number}"))
        statuses.append(answer.status_code)
    assert statuses == [401] * TRIES + [429] * 5
    assert work.compared == TRIES


async def test_tries_of_a_network_count_together_whoever_is_meant(
    visit: Visit, make_user: MakeUser
) -> None:
    await make_user()
    for number in range(TRIES):
        answer = await log_in(await visit(), f"person{number}", WRONG, **peer("10.1.1.1"))
        assert answer.status_code == 401
    assert (await log_in(await visit(), **peer("10.1.1.1"))).status_code == 429
    assert (await log_in(await visit(), **peer("10.1.1.2"))).status_code == 303


@pytest.mark.parametrize(
    ("neighbours", "stranger"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"], "2001:db8:1:3::1"),
        (["::ffff:10.0.0.1", "10.0.0.1"], "::ffff:10.0.0.2"),
        (["fe80::1%eth0", "fe80::1%eth1"], "fec0::1%eth0"),
    ],
)
async def test_neighbours_in_one_network_count_as_one(
    visit: Visit, make_user: MakeUser, neighbours: list[str], stranger: str
) -> None:
    await make_user()
    for number in range(TRIES):
        answer = await log_in(
            await visit(), f"person{number}", WRONG, **peer(neighbours[number % 2])
        )
        assert answer.status_code == 401
    for address in neighbours:
        assert (await log_in(await visit(), **peer(address))).status_code == 429
    assert (await log_in(await visit(), **peer(stranger))).status_code == 303


async def test_log_in_forgives_the_account_but_not_the_network(
    visit: Visit, make_user: MakeUser
) -> None:
    await make_user()
    for _ in range(TRIES - 1):
        await log_in(await visit(), password=WRONG, **peer("10.0.0.1"))
    assert (await log_in(await visit(), **peer("10.0.0.2"))).status_code == 303
    assert (await log_in(await visit(), password=WRONG, **peer("10.0.0.3"))).status_code == 401
    assert (await log_in(await visit(), "mina@example.org", **peer("10.0.0.1"))).status_code == 303
    assert (await log_in(await visit(), **peer("10.0.0.1"))).status_code == 429


async def test_waiting_helps_even_while_somebody_keeps_trying(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    for _ in range(TRIES + 5):
        await log_in(await visit(), password=WRONG)
    async with database.write() as tx:
        long_ago = datetime.now(UTC) - timedelta(minutes=5, seconds=1)
        await tx.execute(update(Try).values(created_at=long_ago))
    assert (await log_in(await visit())).status_code == 303


@all_databases
async def test_of_twenty_tries_at_once_ten_are_looked_at(
    visit: Visit, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user()
    browsers = [await visit() for _ in range(2 * TRIES)]
    tokens = [await browser.token(LOGIN) for browser in browsers]
    work = Work(monkeypatch)

    async def one(number: int) -> int:
        form = {"csrf_token": tokens[number], "username": "mina", "password": WRONG}
        answer = await browsers[number].client.post(LOGIN, form=form)
        return int(answer.status_code)

    statuses = await asyncio.gather(*(one(number) for number in range(2 * TRIES)))
    assert sorted(statuses) == [401] * TRIES + [429] * TRIES
    assert work.done == (TRIES, 0)


# --- Proxies -----------------------------------------------------------------------------------

PROXY, OTHER_PROXY = "10.9.9.9", "10.8.8.8"


async def tries_let_through(settings: Settings, database: Database, requests: list[Any]) -> int:
    """Try to log in once for each (peer, headers); return how many were looked at."""
    looked_at = 0
    trusted = (ip_network(f"{PROXY}/32"), ip_network(f"{OTHER_PROXY}/32"))
    app = create_app(replace(settings, trusted_proxies=trusted))
    async with app.test_app():
        visit = Visit(app, database)
        for number, (address, headers) in enumerate(requests):
            answer = await log_in(
                await visit(), f"person{number}", WRONG, headers=headers, **peer(address)
            )
            looked_at += answer.status_code == 401
    return looked_at


def forwarded(*lines: str) -> list[tuple[str, str]]:
    return [("X-Forwarded-For", line) for line in lines]


@pytest.mark.parametrize(
    "one",
    [
        lambda n: ("10.0.0.1", forwarded(f"10.2.0.{n}")),
        lambda n: ("10.0.0.1", [("Remote-Addr", f"10.2.0.{n}")]),
        lambda n: ("10.0.0.1", [("Forwarded", f"for=10.2.0.{n}"), ("X-Real-IP", f"10.2.0.{n}")]),
        lambda n: (PROXY, forwarded(f"10.2.0.{n}, 10.0.0.1")),
        lambda n: (PROXY, forwarded(f"10.2.0.{n}", "10.0.0.1")),
        lambda n: (PROXY, forwarded(f"10.2.0.{n}, 10.0.0.1, {OTHER_PROXY}")),
        lambda n: (f"::ffff:{PROXY}", forwarded(f"10.2.0.{n}, 10.0.0.1")),
        lambda n: (PROXY, forwarded(f"10.2.0.{n}, {PROXY}, 10.0.0.1")),
    ],
    ids=[
        "no proxy",
        "the name of our own header",
        "other headers",
        "written before the proxy's",
        "in a line above the proxy's",
        "two proxies",
        "a proxy mapped into IPv6",
        "pretending to be a proxy",
    ],
)
async def test_client_cannot_choose_its_address(
    settings: Settings, database: Database, one: Any
) -> None:
    requests = [one(number) for number in range(TRIES + 3)]
    assert await tries_let_through(settings, database, requests) == TRIES


async def test_clients_of_a_trusted_proxy_are_told_apart(
    settings: Settings, database: Database
) -> None:
    requests = [(PROXY, forwarded(f"10.2.0.{number}")) for number in range(TRIES + 3)]
    assert await tries_let_through(settings, database, requests) == TRIES + 3
