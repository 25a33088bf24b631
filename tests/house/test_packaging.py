"""What we ship: the wheel works by itself, and the files beside it say nothing that is not so."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from hypercorn.config import Config
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from microblog.settings import Settings
from tests.services import AppServer, clean_environment

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {"PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}


def run(*words: str | Path, cwd: Path = ROOT, **more: str) -> str:
    kept = {name: value for name, value in clean_environment().items() if name not in OUTSIDE}
    done = subprocess.run(
        words, cwd=cwd, env={**kept, **more}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    # `uv run` names itself; it has also filled the cache that the offline steps below read.
    found = os.environ.get("UV") or shutil.which("uv")
    assert found, "uv is not installed: pip install uv"
    return found


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(uv, "build", "--quiet", "--offline", "--wheel", "--out-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(uv: str, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the `bin` folder of an environment with the wheel and what it declares, no more."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    sync = ("sync", "--quiet", "--offline", "--frozen", "--no-default-groups")
    python = Path(sys.executable)
    run(
        *(uv, *sync, "--no-install-project", "--python", python),
        UV_PROJECT_ENVIRONMENT=str(environment),
    )
    there = ("--python", environment / "bin" / "python")
    run(uv, "pip", "install", "--quiet", "--offline", "--no-deps", *there, wheel)
    run(uv, "pip", "check", *there)
    yield environment / "bin"
    shutil.rmtree(environment, ignore_errors=True)


def test_lock_holds_every_dependency_within_its_bounds_and_tells_no_address() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for dependency in map(Requirement, project["dependencies"]):
        version = locked.get(canonicalize_name(dependency.name), "0")
        assert version in dependency.specifier, f"{dependency} is locked as {version}: make lock"
    assert not re.findall(r"\w+://|--index|--find-links|(?m:^# .*)", lock)


def test_hypercorn_knows_every_key_of_its_file() -> None:
    settings = tomllib.loads((ROOT / "hypercorn.toml").read_text())
    assert not [key for key in settings if not hasattr(Config, key)]


def test_example_of_an_env_file_names_only_settings() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert named
    assert set(named) <= {f"MICROBLOG_{field.name.upper()}" for field in fields(Settings)}


def test_wheel_carries_all_that_is_served_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert all(name.startswith("microblog/") for name in names)
    assert not [name for name in names if name.endswith(".pyc")]
    for folder in ("templates", "static", "alembic"):
        files = [
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        ]
        assert not [name for name in files if f"microblog/{name}" not in names]


def test_installed_wheel_migrates_and_serves_from_another_folder(installed: Path) -> None:
    server = AppServer({}, python=str(installed / "python"))
    try:
        code = "import microblog; print(microblog.__file__)"
        where = run(installed / "python", "-c", code, cwd=server.folder)
        assert Path(where.strip()).is_relative_to(installed.parent)
        run(installed / "microblog", "db", "upgrade", cwd=server.folder)
        server.start()
        assert server.status("/healthz") == 200
        page = httpx.get(server.url)
        assert page.status_code == 200
        (style,) = re.findall(r'href="(/static/[^"]+/css/microblog\.css)"', page.text)
        assert server.status(style) == 200
    finally:
        server.close()
