"""What the owner can set of logs and metrics. See `settings`."""

from dataclasses import dataclass
from pathlib import Path

from microblog import variables
from microblog.variables import Spelt, setting, whole

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "json", "console")


@dataclass(frozen=True, kw_only=True)  # without slots it can stand beside another such part
class LogSettings(Spelt):
    """The part of the settings that is about seeing what the server does."""

    log_level: str = setting("info", variables.one_of(*LOG_LEVELS), "debug", "How much is logged.")
    log_format: str = setting(
        "auto",
        variables.one_of(*LOG_FORMATS),
        "json",
        "How a line of the log is written. auto: console for a terminal, else json.",
    )
    log_to_stdout: bool = setting(
        False,
        variables.switch,
        "true",
        "Whether the log goes to standard output, and neither to a file nor to standard error.",
        "LOG_TO_STDOUT",
    )
    log_file: Path | None = setting(
        None,
        variables.folder,
        "logs/microblog.log",
        "A file for the log, which begins anew when it is full. Default: standard error.",
    )
    log_file_bytes: int = setting(
        10_000_000,
        whole(1_000, 1_000_000_000_000),
        "10000000",
        "How large the file of the log may become.",
        unit="bytes",
    )
    log_files_kept: int = setting(
        10, whole(1, 1_000), "10", "How many full files of the log are kept.", unit="files"
    )
    metrics_token: str | None = setting(
        None,
        variables.secret,
        "the output of: openssl rand -hex 32",
        "Who has it may read /metrics from anywhere. Default: this machine alone, without a proxy.",
        unit="at least 32 bytes",
        hidden=True,
    )
