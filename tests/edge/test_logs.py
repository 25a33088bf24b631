"""What a line of the log looks like, and where it goes."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from microblog.core.errors import SettingError
from microblog.edge import logs
from microblog.log_settings import LogSettings
from microblog.settings import Settings
from tests.serving import Serving, serving


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**before)
    logging.getLogger().handlers = handlers


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_log_is_json_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogSettings(log_level="warning"))
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("heard", number=3)
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = lines(printed.err)
    assert (line["event"], line["level"], line["number"]) == ("heard", "warning", 3)


def test_log_goes_to_standard_output_where_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    chosen = Settings.from_env({"LOG_TO_STDOUT": "1", "MICROBLOG_LOG_FILE": str(tmp_path / "a")})
    logs.configure(chosen)
    structlog.get_logger().info("heard")
    printed = capsys.readouterr()
    assert (lines(printed.out)[0]["event"], printed.err) == ("heard", "")
    assert list(tmp_path.iterdir()) == []


def test_log_goes_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "logs" / "microblog.log"
    logs.configure(LogSettings(log_file=path))
    structlog.get_logger().info("heard", who="미나")
    assert lines(path.read_text())[0]["who"] == "미나"
    assert capsys.readouterr().err == ""


def test_file_of_before_is_closed_where_settings_change(tmp_path: Path) -> None:
    files = Path("/proc/self/fd")
    if not files.exists():
        pytest.skip("there is no /proc")
    for number in range(5):
        logs.configure(LogSettings(log_file=tmp_path / str(number)))
    held = [file.readlink() for file in files.iterdir() if file.is_symlink()]
    assert [path for path in held if path.parent == tmp_path] == [tmp_path / "4"]


def test_file_that_cannot_be_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "microblog.log"
    with pytest.raises(SettingError, match=r"^MICROBLOG_LOG_FILE '.+' cannot be written: .+ For"):
        logs.configure(LogSettings(log_file=path))


def test_log_for_people_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogSettings(log_format="console"))
    structlog.get_logger().info("request", path="/\x1b[2J\nrequest forged=1", name="미나")
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "\x1b" not in printed
    assert r"\x1b[2J\nrequest" in printed.replace(r"\\", "\\")
    assert "미나" in printed


def test_what_libraries_tell_is_a_line_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogSettings())
    logs.take_in_libraries()
    logging.getLogger("some.library").warning("it is %s", "late")
    logging.getLogger("some.library").info("nobody asked")
    (line,) = lines(capsys.readouterr().err)
    assert (line["event"], line["level"], line["by"]) == ("it is late", "warning", "some.library")


async def test_every_line_of_a_request_has_its_number(settings: Settings, tmp_path: Path) -> None:
    chosen: dict[str, Any] = {"log_level": "info", "log_file": tmp_path / "log"}
    async with serving(Settings(**_given(settings), **chosen)) as server:
        await _break(server)
        async with httpx.AsyncClient(base_url=server.url) as http:
            number = (await http.get("/explore")).headers["X-Request-ID"]
            other = (await http.get("/healthz")).headers["X-Request-ID"]
    found = [line for line in lines((tmp_path / "log").read_text()) if "request_id" in line]
    told = {line["event"] for line in found if line["request_id"] == number}
    assert told >= {"request", "some work"}
    assert {line["event"] for line in found if line["request_id"] == other} == {"request"}


def _given(settings: Settings) -> dict[str, Any]:
    kept = ("data_dir", "secret_key", "bcrypt_rounds")
    return {name: getattr(settings, name) for name in kept}


async def _break(server: Serving) -> None:
    """Let the work of a page write a line of its own."""
    database = server.runtime.database
    usual = database.read

    def read() -> Any:
        structlog.get_logger().info("some work")
        return usual()

    database.read = read  # type: ignore[method-assign]
