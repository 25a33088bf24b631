"""`microblog secret rotate`: a new secret, and what becomes of the former ones."""

from pathlib import Path

from microblog.secret_file import FORMER, keep
from tests.cli.conftest import Run


def test_rotation_puts_a_new_secret_first_and_honours_the_last_ones(
    run: Run, tmp_path: Path
) -> None:
    data_dir = tmp_path / "var"
    env = {"MICROBLOG_DATA_DIR": str(data_dir), "MICROBLOG_SECRET_KEY": ""}
    seen = [keep(data_dir)[0]]
    for _ in range(FORMER + 1):
        told = run.works("secret", "rotate", **env)
        assert "Restart the server" in told
        seen.insert(0, keep(data_dir)[0])
    assert len(set(seen)) == FORMER + 2
    assert keep(data_dir) == tuple(seen[: FORMER + 1])
    assert (data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
    told = run.works("secret", "rotate", "--forget-former", **env)
    assert "none before it is honoured" in told
    assert len(keep(data_dir)) == 1
    assert [each.name for each in data_dir.iterdir()] == ["secret_key"]


def test_secret_of_a_variable_is_replaced_where_it_stands(run: Run, tmp_path: Path) -> None:
    env = {"MICROBLOG_DATA_DIR": str(tmp_path), "MICROBLOG_SECRET_KEY": ""}
    told = run.fails("secret", "rotate", SECRET_KEY="x" * 32, **env)
    assert "given by SECRET_KEY" in told
    assert "MICROBLOG_SECRET_KEY_FALLBACKS" in told
    assert not (tmp_path / "secret_key").exists()
