"""The worked cases every card carries, run against the whole library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..evidence.cards import WorkedCase
from ..evidence.form import read_case_mapping
from ..evidence.library import Library
from ..terms.assessment import Assessment
from ..terms.errors import CaseRefused
from .consultation import assess


class Failed(NamedTuple):
    """A worked case that did not come out as its card says."""

    kind: str
    number: int
    message: str

    def __str__(self) -> str:
        return f"{self.kind}, case {self.number}: {self.message}"


def run_worked_cases(library: Library) -> list[Failed]:
    """Every card's cases that fail, with what was found and what was expected."""
    failed = []
    for kind in library.decks.kinds:
        for number, case in enumerate(kind.cases, 1):
            failed += [Failed(kind.id, number, message) for message in problems(case, library)]
    return failed


def problems(worked: WorkedCase, library: Library) -> Iterator[str]:
    """What does not come out as the case says."""
    try:
        said = assess(read_case_mapping(worked.given, library), library)
    except CaseRefused as refused:
        yield f"cannot be read: {refused}"
        return
    first = [k.id for k in said.kinds if k.rank == 1] or ["none"]
    if worked.first and first != [worked.first]:
        yield f"found {_standing(said)} first; expected {worked.first}"
    if worked.not_first and worked.not_first in first:
        yield f"found {worked.not_first} first; expected another kind"
    if worked.red_flag and worked.red_flag not in {f.id for f in said.red_flags}:
        yield f"found the red flags {[f.id for f in said.red_flags]}; expected {worked.red_flag}"


def _standing(said: Assessment) -> str:
    shown = [*said.kinds[:4], *said.considered[:2]]
    return ", ".join(f"{k.id} ({'+'.join(w.weight for w in k.why)} - {'+'.join(w.weight for w in k.against)})" for k in shown) or "none"
