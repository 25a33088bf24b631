"""The address of a database: what owners write, made the one that this program opens.

`settings` alone calls this.
"""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from microblog.core.errors import SettingError

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
}
# What may stand behind the "?" of an address of MariaDB; the charset is always utf8mb4.
_MARIADB_OPTIONS = {"charset", "unix_socket", "ssl", "ssl_ca", "ssl_cert", "ssl_key"}


def parse(raw: str, name: str = "DATABASE_URL") -> URL:
    """Parse a database's address and give it the driver this program uses; raises SettingError.

    The sentence never holds the address itself, because that may hold a password.
    """
    example = (
        f"For example: {name}=postgresql"
        if name.startswith("DB_")
        else f"For example: {name}=postgresql://user:password@localhost/microblog"
    )
    try:
        url = make_url(raw)
    except (ArgumentError, ValueError):
        raise SettingError(f"{name} is not an address. {example}") from None
    vendor = url.drivername.partition("+")[0]
    driver = _DRIVERS.get(vendor)
    if driver is None:
        raise SettingError(f"{name} names '{url.drivername}', which is not supported. {example}")
    if url.port is not None and not 0 < url.port < 65536:
        raise SettingError(f"{name} has the port {url.port}, and there is none such. {example}")
    if vendor == "sqlite" and url.database in {None, "", ":memory:"}:
        raise SettingError(f"{name} must name a file. For example: {name}=sqlite:///var/my.db")
    if vendor in {"mysql", "mariadb"}:
        _check_mariadb(url, name)
    return url.set(drivername=driver)


def _check_mariadb(url: URL, name: str) -> None:
    example = (
        "For example: DB_DATABASE=microblog"
        if name.startswith("DB_")
        else f"For example: {name}=mysql://user:password@localhost/microblog"
    )
    if not url.database:
        raise SettingError(f"{name} must name a database. {example}")
    if unknown := sorted(url.query.keys() - _MARIADB_OPTIONS):
        known = ", ".join(sorted(_MARIADB_OPTIONS))
        raise SettingError(f"{name} has the option '{unknown[0]}'; it may have {known}. {example}")
