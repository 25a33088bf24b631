"""What the tests of the API may ask for: programs, signed in or not."""

from collections.abc import Awaitable, Callable

import pytest
from quart import Quart

from microblog.database import Database
from microblog.models import User
from microblog.settings import Settings
from tests.api.programs import Program
from tests.people import access_token

OpenProgram = Callable[[User], Awaitable[Program]]


@pytest.fixture
def stranger(app: Quart) -> Program:
    """A program without a token."""
    return Program(app)


@pytest.fixture
def program(app: Quart, database: Database, settings: Settings) -> OpenProgram:
    """Open a program of a person: `await program(mina)`."""

    async def opened(user: User) -> Program:
        return Program(app, await access_token(database, settings, user))

    return opened
