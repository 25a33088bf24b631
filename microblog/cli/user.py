"""`microblog user`: people, made and changed by the owner."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import click

from microblog.actions import accounts, departures
from microblog.actions.accounts import NewAccount
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainGroup, given_settings
from microblog.core import names, passwords
from microblog.core.errors import Invalid, Message
from microblog.database import Read, Tx
from microblog.models import User
from microblog.queries import users
from microblog.settings import Settings

from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input: one line."
)

Judge = Callable[[Tx, User | None, User, str, datetime], Awaitable[None]]

TAKEN = "This username is taken. Please choose another."
KNOWN = "There is an account with this e-mail address already."


@click.group(cls=PlainGroup)
def user() -> None:
    """Make people, change their passwords and roles, keep somebody out."""


@user.command()
@click.argument("name")
@click.option("--email", required=True, help="Their e-mail address.")
@from_stdin
@click.option("--admin", is_flag=True, help="Make them an administrator.")
def create(name: str, email: str, password_stdin: bool, admin: bool) -> None:
    """Make an account for NAME. Asks for the password."""
    settings = given_settings()
    _check_names(name, email)
    role = "admin" if admin else "member"
    asyncio.run(_create(settings, name, email, password_stdin, role))
    click.echo(f"{name} can log in now" + (", as an administrator." if admin else "."))


@user.command()
@click.argument("name")
@from_stdin
def password(name: str, password_stdin: bool) -> None:
    """Change NAME's password. Ends all their sessions and revokes their tokens."""
    found = asyncio.run(_set_password(given_settings(), name, password_stdin))
    click.echo(f"{found} has a new password, and is logged out everywhere.")


@user.command()
@click.argument("name")
@click.argument("role", type=click.Choice(["member", "admin"]))
def role(name: str, role: str) -> None:
    """Make NAME a member or an administrator."""
    found, has_admin = asyncio.run(_set_role(given_settings(), name, role))
    click.echo(f"{found} is {'an administrator' if role == 'admin' else 'a member'} now.")
    if not has_admin:
        click.echo("There is no administrator left: the next start prints the link to become one.")


reason_why = click.option("--reason", required=True, help="Why; it is kept in the log.")


@user.command()
@click.argument("name")
@reason_why
def suspend(name: str, reason: str) -> None:
    """Keep NAME out: logged out everywhere, and nothing of theirs can be seen."""
    found = asyncio.run(_judge(given_settings(), name, departures.suspend, reason))
    click.echo(f"{found} is suspended, and reads the reason when they try to log in.")


@user.command()
@click.argument("name")
@reason_why
def restore(name: str, reason: str) -> None:
    """Let NAME, who is suspended, in again."""
    found = asyncio.run(_judge(given_settings(), name, departures.restore, reason))
    click.echo(f"{found} is restored, and can log in again.")


def _check_names(name: str, email: str) -> None:
    found: dict[str, list[Message]] = {}
    for check, text in ((names.check_username, name), (names.check_email, email)):
        try:
            check(text)
        except Invalid as invalid:
            found |= dict(invalid.errors)
    if found:
        raise Invalid(found)


async def _create(settings: Settings, name: str, email: str, piped: bool, role: str) -> None:
    async with opened(settings) as database:
        async with database.read() as read:
            if await users.is_taken(read, name):
                raise click.ClickException(TAKEN)
            if await users.by_login(read, email) is not None:
                raise click.ClickException(KNOWN)
        hashed = _hashed(settings, piped, name, email)
        async with database.write() as tx:
            account = NewAccount(name, email, hashed, role=role)
            await accounts.register(tx, account, datetime.now(UTC))


async def _set_password(settings: Settings, name: str, piped: bool) -> str:
    async with opened(settings) as database:
        async with database.read() as read:
            person = await _known(read, name)
        hashed = _hashed(settings, piped, person.username, person.email)
        async with database.write() as tx:
            await accounts.set_password(tx, person, hashed, datetime.now(UTC))
        return person.username


async def _set_role(settings: Settings, name: str, role: str) -> tuple[str, bool]:
    async with opened(settings) as database, database.write() as tx:
        person = await _known(tx, name)
        await accounts.set_role(tx, person, role)
        return person.username, await users.has_admin(tx)


async def _judge(settings: Settings, name: str, judge: Judge, reason: str) -> str:
    async with opened(settings) as database, database.write() as tx:
        person = await _known(tx, name, absent=True)
        await judge(tx, None, person, reason, datetime.now(UTC))
        return person.username


async def _known(read: Read, name: str, *, absent: bool = False) -> User:
    found = await users.by_login(read, name, absent=absent)
    if found is None:
        raise click.ClickException(f"There is nobody with the name or address '{name}'.")
    return found


def _hashed(settings: Settings, piped: bool, name: str, email: str) -> str:
    """Ask for a password, check it and hash it; raises Invalid. No transaction is open here."""
    given = _piped_password() if piped else _typed_password()
    passwords.check(given, username=name, email=email, site=settings.site_name)
    return passwords.hash_password(given, settings.bcrypt_rounds)


def _piped_password() -> str:
    try:
        line = sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError:
        raise click.ClickException("The password on standard input is not in UTF-8.") from None
    return line.removesuffix("\n").removesuffix("\r")


def _typed_password() -> str:
    if not sys.stdin.isatty():
        raise click.ClickException("Nobody can be asked for a password here: use --password-stdin.")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again")
    return typed
