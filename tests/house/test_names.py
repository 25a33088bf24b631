"""How files are named, sized and marked: the house rules that a program can read."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES = 300
FUNCTION_LINES = 40
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

PACKAGE = sorted((ROOT / "microblog").rglob("*.py"))
CODE = [
    *PACKAGE,
    *sorted(ROOT.glob("alembic/*.py")),
    *sorted(ROOT.glob("benchmarks/**/*.py")),
    *sorted(ROOT.glob("tests/**/*.py")),
]
SCRIPTS = [path for path in sorted(ROOT.glob("static/js/**/*.js")) if path.is_file()]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
PAGES = [path for path in TEMPLATES if path.suffix == ".html" and "email" not in path.parts]

USES = re.compile(
    r"""(?:{%-?\s*(?=extends|include|import|from)|{{\s*)"""
    r"""(extends|include|import|from|part)[\s(]+["']([^"']+)["']"""
)
RENDERS = re.compile(r"""["']([\w/.-]+\.html)["']""")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_module = pytest.mark.parametrize("path", CODE, ids=named)
each_page = pytest.mark.parametrize("path", PAGES, ids=named)


# --- Modules -----------------------------------------------------------------------------------


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    parts = {named(path): path.relative_to(ROOT).with_suffix("").parts for path in CODE}
    assert not [name for name, words in parts.items() if FORBIDDEN_NAMES & set(words)]


def test_alembic_folder_is_no_package() -> None:
    assert not list(ROOT.glob("alembic/**/__init__.py")), "it would hide the library"


@each_module
def test_module_begins_by_saying_what_it_is(path: Path) -> None:
    source = path.read_text()
    assert not source.strip() or ast.get_docstring(ast.parse(source)), "no module docstring"


@each_module
def test_module_is_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MODULE_LINES, f"{lines} lines: cut it where its subject divides"


@each_module
def test_functions_are_short(path: Path) -> None:
    long = [
        f"{function.name} (line {function.lineno}): {length(function)} lines"
        for function in functions(ast.parse(path.read_text()))
        if length(function) > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", PACKAGE, ids=named)
def test_imports_stand_at_the_top(path: Path) -> None:
    late = [
        f"{function.name} (line {node.lineno})"
        for function in functions(ast.parse(path.read_text()))
        if not function.name.lstrip("_").startswith("open_")
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not late, "only an open_… function may import, and only an optional driver"


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


# --- The four marks ----------------------------------------------------------------------------

MARK = re.compile(r"\b(TODO|FIXME|HACK|XXX)\b(?!:\s*\w+\W+\w+)")


@each_module
def test_mark_gives_its_reason(path: Path) -> None:
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    bare = [
        f"line {token.start[0]}: {token.string}"
        for token in tokens
        if token.type == tokenize.COMMENT and MARK.search(token.string)
    ]
    assert not bare, "write MARK: and the reason, in more than one word"


@pytest.mark.parametrize("path", [*SCRIPTS, *PAGES], ids=named)
def test_mark_outside_python_gives_its_reason(path: Path) -> None:
    assert not MARK.findall(path.read_text())


@pytest.mark.parametrize("comment", ["# TODO", "# FIXME: later", "# HACK - no colon here"])
def test_bare_mark_is_found(comment: str) -> None:
    assert MARK.search(comment)


def test_mark_with_a_reason_passes() -> None:
    assert not MARK.search("# XXX: the lock must be held here")


# --- Templates ---------------------------------------------------------------------------------


def is_part(name: str) -> bool:
    return name.rpartition("/")[2].startswith("_")


@each_page
def test_pages_are_extended_and_parts_included(path: Path) -> None:
    wrong = [
        f"{verb} {name}"
        for verb, name in USES.findall(path.read_text())
        if is_part(name) == (verb == "extends")
    ]
    assert not wrong, "include and import take _parts, extends takes pages"


def test_page_that_is_no_layout_is_rendered() -> None:
    known = {name for path in PACKAGE for name in RENDERS.findall(path.read_text())}
    known |= {name for path in PAGES for _, name in USES.findall(path.read_text())}
    names = {path.relative_to(ROOT / "templates").as_posix() for path in PAGES}
    # The page of an error is chosen by its status, so its name stands nowhere.
    unused = {name for name in names - known if not name.startswith("errors/")}
    assert not unused, "nobody renders, extends or includes these"


@each_page
def test_template_has_no_inline_script_or_style(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"<style\b", source)
    assert not re.search(r"<script\b(?![^>]*\bsrc=)", source)
    assert not re.search(r"""<[^>]*\s(style|on[a-z]+)\s*=\s*["']""", source)
    assert "javascript:" not in source
