"""What is gathered while a record is read: statements, values, deeds, and what was passed over."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ..terms.case import Reading
from .codes import Index, Meant
from .wire import Resource


class Said(Struct, frozen=True):
    """One statement about a word: there, not there, or not known; by which entry and when."""

    present: bool | None
    when: str | None
    entry: str
    reference: str


class Value(Struct, frozen=True):
    """One value of a quantity, by which entry. `rank` is 0 for the code the card likes best."""

    reading: Reading
    rank: int
    entry: str
    reference: str


class Study(Struct, frozen=True):
    """An imaging study: the modality and the sites it was made with, when, and whether something may rest on it."""

    seen: tuple[Meant, ...]
    where: tuple[Meant, ...]
    when: str | None
    reference: str


class Passed(Struct):
    """What was not used: the first of those alike, and how many they are."""

    reference: str
    count: int = 1


class Record:
    """Gathers; `until` is the day after which nothing counts."""

    def __init__(self, index: Index, until: str | None = None) -> None:
        self.index, self.until = index, until
        self.said: dict[str, list[Said]] = {}
        self.values: dict[str, list[Value]] = {}
        self.deeds: dict[str, list[Said]] = {}
        self.passed: dict[tuple[str, str], Passed] = {}
        self.studies: list[Study] = []
        self.spoken_of: set[str] = set()
        self.shelf: dict[str, Resource] = {}
        self.newest: str = ""

    def late(self, when: str | None) -> bool:
        """Whether this lies after the day asked for; what does not may make the record newer."""
        if when is None:
            return False
        if self.until and when[: len(self.until)] > self.until:
            return True
        self.newest = max(self.newest, when)
        return False

    def say(self, meant: tuple[Meant, ...], present: bool | None, when: str | None, entry: str, reference: str) -> None:
        """These words are there (true), not there (false) or not known (none)."""
        for word, way in meant:
            self.said.setdefault(word, []).append(Said(None if present is None else present == way, when, entry, reference))

    def speaks_of(self, study: Any) -> None:
        """A finding on a deposit rests on this imaging study."""
        if isinstance(study, dict) and isinstance(study.get("reference"), str):
            self.spoken_of.add(study["reference"])

    def pass_over(self, entry: str, why: str, reference: str) -> None:
        """Tell what was not used, and why. Those alike are counted."""
        held = self.passed.get((entry, why))
        if held is None:
            self.passed[entry, why] = Passed(reference)
        else:
            held.count += 1
            held.reference = min(held.reference, reference)
