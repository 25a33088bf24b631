"""A forgotten password by the API: the same answers for everybody, and a token good once."""

from dataclasses import replace

import pytest

from microblog.database import Database
from microblog.settings import Settings
from tests.api.conftest import OpenProgram
from tests.api.programs import Program
from tests.mailboxes import MailServer, all_done, mailed_by, path_in
from tests.people import PASSWORD, MakeUser

RESET = "/api/tokens/reset"
NEW = "quite another sentence"
KOREAN = {"Accept-Language": "ko"}


@pytest.fixture
def settings(settings: Settings, sink: MailServer) -> Settings:
    return replace(mailed_by(settings, sink), resets_per_hour=3)


async def token(stranger: Program, sink: MailServer) -> str:
    """Ask for a link for Mina and return its token."""
    known = len(sink.mails)
    await stranger.json("POST", RESET, 204, json={"email": "mina@example.org"})
    return path_in(await sink.next(known), "/auth/reset_password/").rpartition("/")[2]


async def test_token_of_a_mail_changes_the_password_once_and_ends_every_token(
    sink: MailServer, stranger: Program, program: OpenProgram, make_user: MakeUser
) -> None:
    mina = await program(await make_user())
    body = {"token": await token(stranger, sink), "new_password": NEW}
    await stranger.json("PUT", RESET, 204, json=body)
    assert await stranger.problem("PUT", RESET, 400, json=body | {"new_password": "a third one"})
    await mina.problem("GET", "/api/timelines/home", 401)
    await stranger.problem("POST", "/api/tokens", 401, auth=("mina", PASSWORD))
    await stranger.log_in("mina", NEW)


async def test_every_address_is_answered_alike_and_the_fourth_time_waits(
    sink: MailServer, stranger: Program, make_user: MakeUser, database: Database
) -> None:
    await make_user()
    for email in ("mina@example.org", "nobody@example.org"):
        for _ in range(3):
            answer = await stranger.call("POST", RESET, json={"email": email})
            assert (answer.status_code, await answer.get_data()) == (204, b"")
        answer = await stranger.call("POST", RESET, json={"email": email})
        assert answer.status_code == 429
        assert 3500 <= int(answer.headers["Retry-After"]) <= 3600
    await all_done(database)
    assert [mail["To"] for mail in sink.mails] == ["mina@example.org"] * 3


async def test_what_is_wrong_is_told_by_its_field_and_the_token_stays(
    sink: MailServer, stranger: Program, make_user: MakeUser
) -> None:
    await make_user()
    assert "email" in (await stranger.problem("POST", RESET, 422, json={"email": "x"}))["errors"]
    good = await token(stranger, sink)
    for password in ("short", "mina@example.org", "x" * 1025):
        body = {"token": good, "new_password": password}
        told = await stranger.problem("PUT", RESET, 422, json=body)
        assert set(told["errors"]) == {"new_password"}
    for wrong in ("", "x" * 43, "\0", "한글"):
        body = {"token": wrong, "new_password": NEW}
        told = await stranger.problem("PUT", RESET, 400, json=body, headers=KOREAN)
        assert told["detail"] == "이 토큰은 더 이상 쓸 수 없습니다. 새로 요청하세요."
    await stranger.json("PUT", RESET, 204, json={"token": good, "new_password": NEW})


class TestWithoutMail:
    """Where no mail is sent, the API says so too."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, mail_server=None)

    async def test_nobody_can_ask_for_a_link(self, stranger: Program) -> None:
        body = {"email": "mina@example.org"}
        told = await stranger.problem("POST", RESET, 409, json=body, headers=KOREAN)
        assert told["detail"].startswith("이 서버는 메일을 보내지 않습니다.")
