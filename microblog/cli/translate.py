"""`microblog translate`: the catalogues, edited by hand, kept in step with the code.

A message is English text in a call of `_`, `gettext`, `ngettext` or `message`. English itself needs
no catalogue. `edge/language.py` reads the `.po` files as they are.
"""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import click
from babel import UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from microblog.cli.plainly import PlainCommand, PlainGroup
from microblog.edge.language import locale
from microblog.resources import PACKAGE, SOURCE_LANGUAGE, TEMPLATES, TRANSLATIONS

KEYWORDS: Mapping[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "message": None}
JINJA = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "silent": "false"}
PLACES: tuple[tuple[str, Path, str, str, Mapping[str, str]], ...] = (
    ("microblog", PACKAGE, "**.py", "python", {}),
    ("templates", TEMPLATES, "**.html", "jinja2", JINJA),
    ("templates", TEMPLATES, "**.txt", "jinja2", JINJA),
)
# What WTForms itself says of our forms, by its module. A test makes it say each of them.
BORROWED: Mapping[str, tuple[str | tuple[str, str], ...]] = {
    "wtforms/csrf/session.py": ("CSRF token missing.", "CSRF failed.", "CSRF token expired."),
    "wtforms/validators.py": (
        (
            "Field cannot be longer than %(max)d character.",
            "Field cannot be longer than %(max)d characters.",
        ),
    ),
}
# Nothing in it changes by itself: no date, no name, no version.
HEADER = """\
# {name}: translated by hand, put in order by `microblog translate update`.
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
_PLACE = re.compile(r"%(?:\(\w+\)[a-z]|%)?")
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MARKUP = re.compile(r'[<>&"]')


@click.group(cls=PlainGroup)
def translate() -> None:
    """Keep the translations complete."""


@translate.command(cls=PlainCommand)
@click.argument("language")
def init(language: str) -> None:
    """Begin the catalogue of a LANGUAGE, for example fr or pt-BR: one file, to be filled in."""
    code = _code_of(language)
    path = path_of(code)
    if path.is_file():
        raise click.ClickException(f"{path} is there already. Run: microblog translate update")
    _write(code, Catalog(locale=locale(code)), extracted())
    click.echo(f"Translate the messages in {path}")
    click.echo("Then run: microblog translate check")


@translate.command(cls=PlainCommand)
def update() -> None:
    """Bring every catalogue up to date: new messages go in, those that nobody uses go out."""
    template = extracted()
    for code in _translated():
        catalogue = _read(code)
        _write(code, catalogue, template)
        missing = sum(not _is_complete(message) for message in _messages(catalogue))
        click.echo(f"{code}: {len(catalogue)} messages, {missing} to be translated.")


@translate.command("compile", cls=PlainCommand)
def compile_() -> None:
    """Write each catalogue as a .mo file too, for other programs: the server reads the .po."""
    for code in _translated():
        path = path_of(code).with_suffix(".mo")
        with path.open("wb") as file:
            write_mo(file, _read(code))
        click.echo(f"{code}: {path}")


@translate.command(cls=PlainCommand)
def check() -> None:
    """Name all that is missing, fuzzy, obsolete or misshapen; status 1 if there is any."""
    template = extracted()
    flaws = [
        f"{code}: {flaw}" for code in _translated() for flaw in flaws_of(_read(code), template)
    ]
    for flaw in flaws:
        click.echo(flaw)
    if flaws:
        raise click.ClickException("Run: microblog translate update, then edit the catalogue.")
    click.echo(f"{', '.join(_translated())}: all {len(template)} messages are translated.")


def extracted() -> Catalog:
    """Collect every message of the code, the templates and the libraries that speak for us."""
    template = Catalog()
    for name, folder, pattern, method, options in PLACES:
        found = extract_from_dir(folder, [(pattern, method)], {pattern: dict(options)}, KEYWORDS)
        for filename, _line, text, _comments, _context in found:
            template.add(text, locations=[(f"{name}/{Path(filename).as_posix()}", 0)])
    for module, texts in BORROWED.items():
        for text in texts:
            template.add(text, locations=[(module, 0)])
    return template


def path_of(code: str) -> Path:
    """Return where a language's catalogue is."""
    return TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"


def flaws_of(catalogue: Catalog, template: Catalog) -> Iterator[str]:
    """Say what a translator still has to do, each with the message it is about."""
    for wanted in _messages(template):
        message = catalogue.get(wanted.id)
        if message is None or not _is_complete(message):
            yield f"missing: {_name(wanted)}"
    used = {wanted.id for wanted in _messages(template)}
    for message in _messages(catalogue):
        if message.id not in used:
            yield f"obsolete: {_name(message)}"
        elif message.fuzzy:
            yield f"fuzzy: {_name(message)}"
        elif _is_complete(message) and _is_misshapen(message):
            yield f"other places or markup than in English: {_name(message)}"
    for message in catalogue.obsolete.values():
        yield f"obsolete: {_name(message)}"


def _translated() -> list[str]:
    found = TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")
    return sorted(path.parts[-3] for path in found)


def _code_of(language: str) -> str:
    """Return the BCP 47 tag of a language as CLDR writes it; raises ClickException."""
    tag = language.replace("_", "-")
    try:
        code = str(locale(tag if _TAG.fullmatch(tag) else "")).replace("_", "-")
    except (ValueError, UnknownLocaleError):
        raise click.ClickException(
            f"{language} is no language that is known here. Write for example: fr, or pt-BR"
        ) from None
    if code == SOURCE_LANGUAGE:
        raise click.ClickException("English needs no catalogue: the messages are in English.")
    return code


def _read(code: str) -> Catalog:
    return read_po(BytesIO(path_of(code).read_bytes()), locale=locale(code))


def _write(code: str, catalogue: Catalog, template: Catalog) -> None:
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    path = path_of(code)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_written(catalogue, code))


def _written(catalogue: Catalog, code: str) -> bytes:
    written = BytesIO()
    write_po(
        written,
        catalogue,
        width=0,
        sort_output=True,
        ignore_obsolete=True,
        include_lineno=False,
        omit_header=True,
    )
    name = locale(code).english_name
    header = HEADER.format(name=name, code=code, plurals=catalogue.plural_forms)
    return (header + written.getvalue().decode().rstrip("\n") + "\n").encode()


def _messages(catalogue: Catalog) -> Iterator[Message]:
    """Go through the messages; the first of a catalogue is its header."""
    return (message for message in catalogue if message.id)


def _name(message: Message) -> str:
    return repr(_forms(message.id)[0])


def _forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _is_complete(message: Message) -> bool:
    return bool(message.string) and all(_forms(message.string))


def _is_misshapen(message: Message) -> bool:
    """Tell whether a translation lacks a place of the English text, or has another.

    Templates fill the places and take the whole as markup, so a stray sign would break a page.
    """
    english = _shape(_forms(message.id)[-1])
    return any(_shape(form) != english for form in _forms(message.string))


def _shape(text: str) -> list[str]:
    return sorted(_PLACE.findall(text) + _MARKUP.findall(text))
