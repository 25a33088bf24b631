"""The event loop of the crowd and of the smallest peer: uvloop's where it is installed.

uvloop is no dependency of Microblog; `uv run --with uvloop` brings it for one run.
"""

import asyncio
import importlib
import importlib.util
from collections.abc import Coroutine
from typing import Any

HAS_UVLOOP = importlib.util.find_spec("uvloop") is not None
NAME = "uvloop" if HAS_UVLOOP else "asyncio"


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` until it is done."""
    factory = importlib.import_module("uvloop").new_event_loop if HAS_UVLOOP else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
