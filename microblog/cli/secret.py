"""`microblog secret`: the secret that signs cookies and tokens."""

import click

from microblog import secret_file
from microblog.cli.plainly import PlainGroup, given_settings
from microblog.core.errors import SettingError


@click.group(cls=PlainGroup)
def secret() -> None:
    """Replace the secret that signs cookies and tokens."""


@secret.command()
@click.option(
    "--forget-former",
    is_flag=True,
    help="Honour no former secret any more: everybody has to log in again. For a secret that "
    "somebody else may know.",
)
def rotate(forget_former: bool) -> None:
    """Put a new secret in force, from the next start or reload on.

    What the former one has signed stays good, so nobody is logged out.
    """
    settings = given_settings()
    if settings.secret_key is not None:
        name = settings.spelling("secret_key")
        raise SettingError(
            f"The secret is given by {name}. Set a new one there, and put the present one into "
            f"{settings.spelling('secret_key_fallbacks')}."
        )
    kept = secret_file.rotate(settings.data_dir, honour_former=not forget_former)
    former = len(kept) - 1
    honoured = {0: "none before it is honoured", 1: "the one before it is honoured still"}
    click.echo(f"There is a new secret; {honoured.get(former, f'{former} are honoured still')}.")
    click.echo("Restart the server, or send it SIGHUP.")
