"""What the tests of words may ask for: every page, error and mail in the language of brackets."""

from collections.abc import Iterator

import pytest

from microblog.edge import language, templates
from tests.house.pseudo import Pseudo


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak that language in every page."""
    monkeypatch.setattr(language, "catalogue", lambda _: Pseudo())
    templates.forget()
    yield
    templates.forget()
