"""What the tests of the room share: one measured study, and its objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resorb.ct.finding import find
from resorb.ct.measuring import measure
from resorb.ct.reading import read
from resorb.pacs import Measured, results
from tests.unit.pacs.made_study import DEPOSITS, write_study


def measured(folder: Path) -> Measured:
    """A folder, measured."""
    scan = read(folder)
    findings = find(scan)
    return Measured.of(folder, scan, findings, measure(scan, findings=findings))


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of one study with two deposits."""
    return write_study(tmp_path_factory.mktemp("study"), DEPOSITS)


@pytest.fixture(scope="session")
def one(study: Path) -> Measured:
    """The study, measured."""
    return measured(study)


@pytest.fixture(scope="session")
def objects(one: Measured) -> tuple[Any, ...]:
    """Its DICOM objects."""
    return results(one)
