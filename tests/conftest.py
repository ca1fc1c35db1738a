"""What the tests share: the library that ships, and a way to write a case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from resorb.consult import assess
from resorb.evidence import Library, library, read_case_mapping
from resorb.terms.assessment import Assessment

settings.register_profile(
    "steady", derandomize=True
)  # the same examples everywhere
settings.load_profile("steady")


@pytest.fixture(scope="session")
def shelf() -> Library:
    """The library that ships."""
    return library()


@pytest.fixture(scope="session")
def answer(shelf: Library) -> Any:
    """Assess a case given as keyword arguments."""

    def ask(**given: Any) -> Assessment:
        return assess(read_case_mapping(given, shelf), shelf)

    return ask
