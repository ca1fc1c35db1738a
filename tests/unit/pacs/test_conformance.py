"""The conformance statement is what the code does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resorb.ct.header import CT_CLASSES
from resorb.pacs.codes import MEASURES, private_codes
from resorb.pacs.receiving import MOST_AT_ONCE, SYNTAXES

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "dicom-conformance.md").read_text("utf-8")


def test_every_private_code_is_listed_and_no_other() -> None:
    table = PAGE.partition("### Private codes")[2].partition("\n## ")[0]
    listed = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert listed == {c.value for c in private_codes()}
    assert not [c.value for c in private_codes() if f"| `{c.value}` | {c.meaning} |" not in table]


def test_every_measure_is_listed_with_its_concept_and_unit() -> None:
    for name, concept in MEASURES.items():
        line = f"| `{name}` | {concept.name.meaning} ({concept.name.value}, {concept.name.scheme}) | `{concept.unit.value}` |"
        assert line in PAGE


def test_classes_syntaxes_and_limits_are_those_of_the_code(objects: tuple[Any, ...]) -> None:
    written = PAGE.partition("## SOP classes that are written")[2]
    assert not [o.SOPClassUID for o in objects if str(o.SOPClassUID) not in written]
    assert not [s for s in SYNTAXES if s not in PAGE]
    assert not [name for name in CT_CLASSES.values() if name.removesuffix(" Image Storage").removesuffix(" Storage") not in PAGE]
    assert f"At most {MOST_AT_ONCE} associations" in PAGE
    assert not [o.SeriesNumber for o in objects if f"{o.SeriesNumber} is the" not in PAGE and f"{o.SeriesNumber} the" not in PAGE]
