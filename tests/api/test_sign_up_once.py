"""A sign-up with an `Idempotency-Key`: one account, however often it is sent."""

import asyncio
from dataclasses import replace
from typing import Any

from microblog import create_app
from microblog.settings import Settings
from tests.api.programs import Program
from tests.conftest import all_databases, both_databases
from tests.people import PASSWORD

MINA = {"username": "mina", "email": "mina@example.org", "password": PASSWORD}
KEY = {"Idempotency-Key": "of this sign-up"}


async def sign_up(program: Program, status: int, *, key: Any = KEY, **changes: str) -> Any:
    return await program.json("POST", "/api/users", status, json=MINA | changes, headers=key)


@both_databases
async def test_repetition_gets_the_answer_of_the_first_time(stranger: Program) -> None:
    first = await stranger.call("POST", "/api/users", json=MINA, headers=KEY)
    again = await stranger.call("POST", "/api/users", json=MINA, headers=KEY)
    assert (again.status_code, await again.get_data()) == (201, await first.get_data())
    assert again.headers["Location"] == first.headers["Location"]
    assert len((await stranger.json("GET", "/api/users"))["items"]) == 1


@all_databases
async def test_ten_at_once_make_one_account(stranger: Program) -> None:
    made = await asyncio.gather(*(sign_up(stranger, 201) for _ in range(10)))
    assert len({each["id"] for each in made}) == 1
    assert len((await stranger.json("GET", "/api/users"))["items"]) == 1


@both_databases
async def test_key_with_another_request_is_refused(stranger: Program) -> None:
    await sign_up(stranger, 201)
    for change in (
        {"username": "june"},
        {"email": "june@example.org"},
        {"password": "another long sentence"},
        {"about_me": "Seoul"},
    ):
        told = await sign_up(stranger, 422, **change)
        assert list(told["errors"]) == ["idempotency_key"], change
    assert len((await stranger.json("GET", "/api/users"))["items"]) == 1


async def test_another_key_and_none_make_what_they_ask_for(stranger: Program) -> None:
    await sign_up(stranger, 201)
    for key in ({}, {"Idempotency-Key": "another"}):
        told = await sign_up(stranger, 422, key=key)
        assert list(told["errors"]) == ["username"]
    await sign_up(stranger, 201, key={"Idempotency-Key": "another"}, username="june")
    told = await sign_up(stranger, 422, key={"Idempotency-Key": "é" * 9}, username="ann")
    assert list(told["errors"]) == ["idempotency_key"]


async def test_repetition_is_no_sign_up_more_and_guesses_are_counted(settings: Settings) -> None:
    app = create_app(replace(settings, sign_ups_per_hour=1, login_tries=4))
    async with app.test_app():
        program = Program(app)
        await sign_up(program, 201)
        await sign_up(program, 201)
        for _ in range(3):
            await sign_up(program, 422, password="another long sentence")
        await program.problem("POST", "/api/users", 429, json=MINA, headers=KEY)
