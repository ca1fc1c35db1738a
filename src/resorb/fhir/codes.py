"""The codes on the cards, turned round once: code -> what a case says by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from ..evidence.cards import Quantity, Word
from ..evidence.library import Library, simplify
from ..evidence.quantities import factor
from .concepts import SYSTEMS, Concept

BY_PREFIX = frozenset(("icd10cm", "atc"))  # systems where a code stands for all that begin with it
MOST_KEPT = 10_000  # concepts and units looked up before
LONGEST_KEPT = 600  # characters of a concept
READ_AS_QUANTITY = ("loinc", "snomed")
_NAMED_GROUPS = ("diagnosis", "condition", "exposure", "symptom", "finding")
_KIND_OF_TERM = re.compile(r"\s*\((disorder|finding|situation|procedure|morphologic abnormality|event|regime/therapy)\)\s*$")
_AMOUNT = re.compile(r"^([0-9][0-9.,]* (HR|ML|MG|DAY|ACTUAT|UNT|MCG|UG)\b\s*)+", re.IGNORECASE)
_NOT_A_WORD = re.compile(r"[\s,;]+")


class Meant(NamedTuple):
    """A word that a code stands for, and whether the code says it is there."""

    word: str
    present: bool


Tables = dict[str, dict[str, tuple[Any, ...]]]
Observed = tuple[Quantity, int] | frozenset[str]


class Index:
    """Codes, names and units of one library, ready to be asked."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._observed: dict[tuple[str, str], Observed] = {}
        self.words: Tables = {}
        for word in library.decks.words:
            self._word(word)
        self._observe()
        self.options: Tables = {}
        for option in library.decks.options:
            for system, codes in option.codes.items():
                for code in codes:
                    held = self.options.setdefault(system, {})
                    held[_bare(system, code)] = (*held.get(_bare(system, code), ()), option.id)
        self.kinds: Tables = {}
        for kind in library.decks.kinds:
            for system, codes in kind.codes.items():
                for code in codes:
                    of_kinds = self.kinds.setdefault(system, {})
                    of_kinds[_bare(system, code)] = (*of_kinds.get(_bare(system, code), ()), kind.name)
        apart = {w for word in library.decks.words if word.excludes for w in (word.id, *word.excludes)}
        self.excluding = {word for word, wider in library.wider.items() if not apart.isdisjoint(wider)}  # what may not stand together
        self.group = {word.id: word.group for word in library.decks.words}
        self._units: dict[tuple[str, str], float | None] = {}
        self._concepts: dict[tuple[str, ...], Concept] = {}

    def _word(self, word: Word) -> None:
        for present, by_system in ((True, word.codes), (False, word.denied_by)):
            for system, codes in by_system.items():
                held = self.words.setdefault(system, {})
                for code in codes:
                    if system != "loinc":  # a question, see `_observe`
                        held[_bare(system, code)] = (*held.get(_bare(system, code), ()), Meant(word.id, present))

    def _observe(self) -> None:
        """Which lab or measure an observation's code stands for, and how far down the card's list; or which words it asks about."""
        for card in self.library.decks.quantities:
            for system in READ_AS_QUANTITY:
                for rank, code in enumerate(card.codes.get(system, ())):
                    self._observed.setdefault((system, code), (card, rank))
        for word in self.library.decks.words:
            for code in (*word.codes.get("loinc", ()), *word.denied_by.get("loinc", ())):
                held = self._observed.get(("loinc", code), frozenset())
                if isinstance(held, frozenset):
                    self._observed["loinc", code] = held | {word.id}

    def concept(self, value: Any) -> Concept:
        """A CodeableConcept and what the cards know of it. One that can be read, as most can, is looked up once."""
        key = _key(value)
        if key is None:
            return Concept(value, self)
        try:
            return self._concepts[key]
        except KeyError:
            made = Concept(value, self)
        except TypeError:  # a part of it is no text
            return Concept(value, self)
        if all(type(part) is str for part in key) and sum(map(len, key)) <= LONGEST_KEPT:
            if len(self._concepts) >= MOST_KEPT:
                self._concepts.clear()
            self._concepts[key] = made
        return made

    def observed(self, codings: Iterable[Any]) -> Observed | None:
        """What an observation tells of, by the first of its codes that a card knows."""
        for coding in codings:
            found = self._observed.get((SYSTEMS.get(coding.get("system"), ""), coding["code"]))
            if found is not None:
                return found
        return None

    def meant(self, codings: Iterable[Any]) -> tuple[Meant, ...]:
        """The words that these codes stand for."""
        return _matched(self.words, codings)

    def kind(self, codings: Iterable[Any]) -> str:
        """The one kind that these codes name; empty where they name none, or may mean several."""
        found = _matched(self.kinds, codings)
        return found[0] if len(found) == 1 else ""

    def done(self, codings: Iterable[Any]) -> tuple[str, ...]:
        """The options that these codes stand for."""
        return _matched(self.options, codings)

    def named(self, text: str) -> tuple[Meant, ...]:
        """The word of this very name, for a diagnosis without a code that a card knows; nothing is read out of a longer text."""
        spelled = simplify(_KIND_OF_TERM.sub("", text))
        for group in _NAMED_GROUPS:
            known = self.library.spellings.get(group, {})
            if spelled in known:
                return (Meant(known[spelled], True),)
        return ()

    def medicines(self, text: str) -> tuple[Meant, ...]:
        """The medicines that this text names: each of its parts must begin with the name, so that a salt is not taken for one."""
        known = self.library.spellings.get("medicine", {})
        found: dict[Meant, None] = {}
        for part in text.split(" / "):
            parts = _NOT_A_WORD.split(_AMOUNT.sub("", part.strip()))[:5]
            for length in range(len(parts), 0, -1):
                spelled = simplify(" ".join(parts[:length]))
                if spelled in known:
                    found[Meant(known[spelled], True)] = None
                    break
        return tuple(found)

    def factor(self, unit: str, card: Quantity) -> float | None:
        """What a value in this unit is multiplied by to stand in the card's own; none where the unit does not fit."""
        key = (card.id, unit)
        try:
            return self._units[key]
        except KeyError:
            found = factor(unit, card)
        plain = re.sub(r"\{[^}]*\}", "", unit)
        if found is None and plain != unit and plain:
            found = factor(plain, card)
        if len(self._units) >= MOST_KEPT:
            self._units.clear()
        self._units[key] = found
        return found


def _key(value: Any) -> tuple[str, ...] | None:
    """What tells a concept of codes that can be read, or of words alone, from all others; none for any other."""
    if type(value) is not dict:
        return None
    found = value.get("coding")
    if found is None:
        return (value["text"],) if len(value) == 1 and "text" in value else None
    if type(found) is not list:
        return None
    key: tuple[Any, ...] = (value.get("text", ""),)
    for coding in found:
        if type(coding) is not dict or not coding.get("code"):
            return None
        key += (coding.get("system", ""), coding["code"], coding.get("display", ""))
    return key


def _matched(tables: Tables, codings: Iterable[Any]) -> tuple[Any, ...]:
    """What the tables have for these codes, each once."""
    systems = [(SYSTEMS.get(coding.get("system"), ""), coding["code"]) for coding in codings]
    return tuple(dict.fromkeys(found for system, code in systems if system in tables for found in _matching(tables[system], system, code)))


def _bare(system: str, code: str) -> str:
    return code.replace(".", "").upper() if system in BY_PREFIX else code


def _matching(table: dict[str, Any], system: str, code: str) -> Iterator[Any]:
    if system not in BY_PREFIX:
        yield from table.get(code, ())
        return
    bare = _bare(system, code)
    for length in range(1, len(bare) + 1):
        yield from table.get(bare[:length], ())


@lru_cache(maxsize=4)
def index_of(library: Library) -> Index:
    """The index of a library, made once."""
    return Index(library)
