"""What is gathered while a record is read: statements, values, deeds, and what was passed over."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .codes import SYSTEMS, Index, Meant
from .wire import Resource

_LONGEST = 60


class Said(Struct, frozen=True):
    """One statement about a word: there, not there, or not known; by which entry (see `told`) and when."""

    present: bool | None
    when: str | None
    entry: Any
    reference: str


class Value(Struct, frozen=True):
    """One value of a quantity in the card's unit, or a level alone. `rank` is 0 for the code the card likes best."""

    value: float | None
    level: str | None
    written: str
    when: str | None
    rank: int
    entry: Any
    reference: str


class Study(Struct, frozen=True):
    """An imaging study: the modality and the sites it was made with, when, and whether something may rest on it."""

    seen: tuple[Meant, ...]
    where: tuple[Meant, ...]
    when: str | None
    reference: str


class Record:
    """Gathers; `until` is the day after which nothing counts."""

    def __init__(self, index: Index, until: str | None = None) -> None:
        self.index, self.until = index, until
        self.said: dict[str, list[Said]] = {}
        self.values: dict[str, list[Value]] = {}
        self.deeds: dict[str, list[Said]] = {}
        self.passed: dict[tuple[Any, str], list[Any]] = {}
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

    def say(self, meant: tuple[Meant, ...], present: bool | None, when: str | None, entry: Any, reference: str) -> None:
        """These words are there (true), not there (false) or not known (none)."""
        for word, way in meant:
            self.said.setdefault(word, []).append(Said(None if present is None else present == way, when, entry, reference))

    def speaks_of(self, study: Any) -> None:
        """A finding on a deposit rests on this imaging study."""
        if isinstance(study, dict) and isinstance(study.get("reference"), str):
            self.spoken_of.add(study["reference"])

    def pass_over(self, entry: Any, why: str, reference: str) -> None:
        """Tell what was not used, and why. Those alike are counted."""
        alike = (_alike(entry), why)
        held = self.passed.get(alike)
        if held is None:
            self.passed[alike] = [1, reference, entry]
        else:
            held[0] += 1
            held[1] = min(held[1], reference)


def concept(value: Any) -> dict[str, Any]:
    """A CodeableConcept, whatever was written there: a Coding alone becomes one."""
    if not isinstance(value, dict):
        return {"text": value} if isinstance(value, str) else {}
    return {"coding": [value]} if "code" in value and "coding" not in value else value


def codings(value: Any) -> list[Any]:
    """The codings of a concept that can be read."""
    found = value.get("coding") if type(value) is dict else None
    if type(found) is list and len(found) == 1 and _is_coding(found[0]):
        return found  # nearly always
    found = concept(value).get("coding")
    return list(filter(_is_coding, found)) if isinstance(found, list) else []


def _is_coding(value: Any) -> bool:
    return type(value) is dict and type(value.get("code")) is str and type(value.get("system", "")) is str


def code_of(value: Any) -> str:
    """The code of a status, which older releases wrote as plain text."""
    if isinstance(value, str):
        return value
    found = codings(value)
    return str(found[0]["code"]) if found else ""


def _alike(entry: Any) -> Any:
    """What entries that are told alike share, without telling them yet."""
    if type(entry) is str:
        return entry
    kind, value = entry
    found = codings(value)
    text = value.get("text") if type(value) is dict else None
    if len(found) == 1:
        text = text or found[0].get("display") or ""
        if type(text) is str:
            return kind, found[0]["code"], text
    elif not found and text and type(text) is str:
        return kind, "", text
    return label(kind, value)


def told(entry: Any) -> str:
    """An entry in words, where only its kind and its concept were kept."""
    alike = _alike(entry)
    return alike if isinstance(alike, str) else _label(*alike)


def label(kind: str, value: Any) -> str:
    """An entry in words: `Observation 49765-1 (Calcium)`."""
    found = concept(value)
    known = codings(found)
    coding: dict[str, Any] = next((c for c in known if c.get("system") in SYSTEMS), known[0] if known else {})
    text = found.get("text") or coding.get("display") or ""
    return _label(kind, coding.get("code", ""), text)


def _label(kind: str, code: str, text: Any) -> str:
    if not code:
        return f"{kind} ({short(text)})" if text else f"{kind} without a code"
    return f"{kind} {short(code)} ({short(text)})" if text else f"{kind} {short(code)}"


def short(text: Any) -> str:
    """A text that fits a line."""
    if type(text) is str and len(text) <= _LONGEST and text.isascii() and text.isprintable() and "  " not in text:
        return text
    plain = " ".join(str(text).split())
    plain = plain if plain.isascii() else plain.encode("utf-8", "replace").decode()
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "..."
