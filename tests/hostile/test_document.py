"""S1: requests made out of the API's own document, by strangers, members and administrators.

None is answered by an error of ours, and none otherwise than the document says.
"""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import forms
from tests.crowd import ROOM
from tests.fake_translator import FakeTranslator, fake_translator
from tests.hostile.furnished import Place, furnish, settings
from tests.hostile.generated import Trial, try_out
from tests.services import AppServer

pytestmark = pytest.mark.S1

ROLES = ("anonymous", "user", "admin")
QUICK = [
    Trial(role, "coverage", share=len(ROLES), cases=4, turn=turn) for turn, role in enumerate(ROLES)
]
WHOLE = [
    Trial(role, phase, examples)
    for role in ROLES
    for phase, examples in (("examples", 1), ("coverage", 1), ("fuzzing", 40), ("stateful", 40))
]
LEAST = {"examples": 40, "coverage": 1_700, "fuzzing": 1_600, "stateful": 200}
"""Cases of a phase in the long form: with three roles more than ten thousand."""


@pytest.fixture(scope="module")
def translator() -> Iterator[FakeTranslator]:
    with fake_translator("deepl") as fake:
        yield fake


@pytest.fixture(scope=forms.of("module", "function"))  # what is tried at length leaves its traces
def served(migrated_sqlite: Path, translator: FakeTranslator) -> Iterator[tuple[str, Place]]:
    """A server, and what there is in it: administrators may suspend whom they find."""
    lifted = settings(translator.settings)
    server = AppServer(ROOM | {"SECRET_KEY": "document" * 8} | lifted)
    try:
        file = server.folder / "var" / "microblog.db"
        file.parent.mkdir()
        shutil.copy(migrated_sqlite, file)
        place = asyncio.run(furnish(file))
        yield server.start().url, place
    finally:
        server.close()


@pytest.mark.limit(290)
@pytest.mark.parametrize(
    "trial", forms.of(QUICK, WHOLE), ids=lambda trial: f"{trial.role} {trial.phase}"
)
def test_every_answer_is_as_the_document_says(served: tuple[str, Place], trial: Trial) -> None:
    url, place = served
    found = try_out(url, place, trial)
    assert found.faults == []
    assert max(found.statuses) < 500
    assert found.done, "nothing was carried out"
    assert found.cases >= forms.of(50, LEAST[trial.phase])
    print(f"{trial.role}, {trial.phase}: {found.cases} cases, {found.statuses}")
