"""What a test needs of the machine it runs on."""

import os

import pytest

from tests.elastic import missing_elasticsearch
from tests.services import missing

IN_CI = bool(os.environ.get("CI"))


def require(*programs: str) -> None:
    """Skip a test whose server this machine lacks, with its name told; in CI that is a failure."""
    _require(missing(*programs))


def require_elasticsearch() -> None:
    """The same for Elasticsearch, which comes from Maven Central."""
    _require(missing_elasticsearch())


def _require(absent: list[str]) -> None:
    if absent:
        message = f"not installed: {', '.join(absent)}"
        pytest.fail(message) if IN_CI else pytest.skip(message)
