"""A Python prompt that knows `await`, and the same for what is piped into it. Used by `shell`.

The event loop runs while a statement runs and stands still while somebody types, so everything
happens in the one thread, and Ctrl+C ends the statement alone.
"""

import ast
import builtins
import inspect
import linecache
import signal
import socket
import sys
import traceback
import types
from asyncio import Runner
from code import InteractiveConsole
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from microblog.cli.plainly import sentence
from microblog.core.errors import MicroblogError

TYPED = "<shell>"
INTERRUPTED = 130  # the status of whatever Ctrl+C ended
_AWAITS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_HISTORY_LINES = 2_000


class Console(InteractiveConsole):
    """Runs statements on a loop; `failed` says how the last one ended."""

    def __init__(self, known: dict[str, Any], runner: Runner) -> None:
        super().__init__(known, filename=TYPED)
        self.compile.compiler.flags |= _AWAITS
        self._runner = runner
        self.failed = 0

    def runcode(self, code: types.CodeType) -> None:
        """Run one statement; what goes wrong is told, and the next one comes."""
        self.failed = 0
        shown_by, sys.displayhook = sys.displayhook, display
        try:
            begun = types.FunctionType(code, self.locals)()
            if inspect.iscoroutine(begun):
                self._runner.run(begun)
        except SystemExit:
            raise
        except KeyboardInterrupt:
            self.failed = INTERRUPTED
            self.write("\nInterrupted.\n")
        except BaseException as error:  # noqa: BLE001 - a prompt outlives whatever is typed
            self.failed = 1
            self.write(told(error))
        finally:
            sys.displayhook = shown_by

    def run_all(self, source: str) -> int:
        """Run a whole text until something fails, and return the status to end with."""
        try:
            tree = ast.parse(source, TYPED)
            pieces = [_compiled(node) for node in tree.body]
        except (SyntaxError, ValueError, OverflowError):
            self.showsyntaxerror(TYPED)
            return 1
        # So that a traceback shows the lines.
        linecache.cache[TYPED] = len(source), None, source.splitlines(keepends=True), TYPED
        for piece in pieces:
            self.runcode(piece)
            if self.failed:
                return self.failed
        return 0


def _compiled(node: ast.stmt) -> types.CodeType:
    """Compile a statement; what an expression gives is shown, unless it stands within another."""
    shown = isinstance(node, ast.Expr)
    tree = ast.Interactive([node]) if shown else ast.Module([node], [])
    code: types.CodeType = compile(tree, TYPED, "single" if shown else "exec", flags=_AWAITS)
    return code


def display(value: object) -> None:
    """Show what an expression gave; a forgotten `await` is told instead."""
    if isinstance(value, Coroutine):
        value.close()
        print("Nothing was done: write “await” before it.")
    elif value is not None:
        builtins._ = value  # type: ignore[attr-defined]
        print(repr(value))


def told(error: BaseException) -> str:
    """Say what went wrong: our own errors in a sentence, others with the lines that were typed."""
    if isinstance(error, MicroblogError | DBAPIError):
        return f"{type(error).__name__}: {sentence(error)}".rstrip(": ") + "\n"
    begin = error.__traceback__
    while begin is not None and begin.tb_frame.f_code.co_filename != TYPED:
        begin = begin.tb_next
    return "".join(traceback.format_exception(type(error), error, begin))


@contextmanager
def heard(runner: Runner) -> Iterator[None]:
    """Let a signal wake the loop also in the moment before it falls asleep.

    Without it such a Ctrl+C would be noticed with the next thing that happens, if ever.
    """
    loop = runner.get_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setblocking(False)
        loop.add_reader(ours, ours.recv, 4096)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(ours)


def open_history(path: Path, known: dict[str, Any]) -> Any:
    """Have lines edited, completed by the Tab key and remembered; return what `keep` wants.

    None where the system has no readline, as Windows.
    """
    try:
        import readline
    except ImportError:
        return None
    from rlcompleter import Completer

    readline.set_completer(Completer(known).complete)
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(_HISTORY_LINES)
    readline.clear_history()
    if path.is_file():
        readline.read_history_file(path)
    return readline


def keep(history: Any, path: Path) -> None:
    """Write the history, which nobody else may read: it may hold what people wrote."""
    if history is None:
        return
    path.touch(mode=0o600)
    path.chmod(0o600)
    history.write_history_file(path)
