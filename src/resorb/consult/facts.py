"""Facts: a case as the cards see it. Words with all they imply, numbers with low, normal, high; and tests on them.

A test is true, false or unknown (none). What nobody said is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..evidence.cards import Band, Formula, Quantity, Test
from ..evidence.library import Library
from ..evidence.quantities import parse
from ..terms.case import Case, Reading
from .formulas import compute

WORD_GROUPS = ("site", "finding", "condition", "medicine", "exposure", "symptom", "modality", "stage", "sex")


class Facts:
    """What is present, absent and measured in one case."""

    def __init__(self, case: Case, library: Library) -> None:
        self.library = library
        self.said = {f.word: f.present for f in case.facts}
        self.present: set[str] = set()
        self.absent: set[str] = set()
        for fact in case.facts:
            if fact.present is True and fact.word in library.wider:
                self.present |= library.wider[fact.word]
            elif fact.present is False and fact.word in library.narrower:
                self.absent |= library.narrower[fact.word]
        self.absent -= self.present
        self.values: dict[str, float] = {}
        self.levels: dict[str, frozenset[str]] = {}
        self.computed: list[tuple[Formula, float]] = []
        self.written: dict[str, str] = {}
        for reading in _newest(case.readings):
            self._take(reading)
        for formula in library.decks.formulas:
            self._compute(formula)
        for quantity in tuple(self.values):
            self.levels.setdefault(quantity, _levels(self.values[quantity], library.quantities[quantity], self))
        self._better()

    def _take(self, reading: Reading) -> None:
        self.written[reading.quantity] = reading.written
        if reading.value is not None:
            self.values[reading.quantity] = reading.value
        elif reading.level:
            implied = self.library.reasoning.levels_imply.get(reading.level)
            self.levels[reading.quantity] = frozenset({"known", reading.level, *([implied] if implied else [])})

    def _compute(self, formula: Formula) -> None:
        value = compute(formula, self.values, self.present)
        if value is None:
            return
        self.computed.append((formula, value))
        if formula.makes in self.library.quantities and formula.makes not in self.values and formula.makes not in self.levels:
            self.values[formula.makes] = value
            self.written[formula.makes] = f"{value:.3g} {self.library.quantities[formula.makes].unit}, computed"

    def _better(self) -> None:
        """Where a better quantity speaks (ionised for total calcium), its level is the one believed."""
        for quantity in self.library.decks.quantities:
            for better in quantity.better:
                if better in self.levels:
                    self.levels[quantity.id] = self.levels[better]
                    break

    def ids(self) -> Iterator[str]:
        """Every word and quantity this case says anything about."""
        yield from self.present
        yield from self.absent
        yield from self.levels

    def holds(self, test: Test) -> bool | None:
        """Whether the test is true, false or unknown here."""
        if test.all is not None:
            return _all(self.holds(t) for t in test.all)
        if test.any is not None:
            return _any(self.holds(t) for t in test.any)
        if test.not_ is not None:
            inner = self.holds(test.not_)
            return None if inner is None else not inner
        quantity = test.lab or test.measure
        if quantity is not None:
            return self._quantity(test, quantity)
        group, words = subject(test)
        return self._site(words) if group == "site" else _any(self._word(w) for w in words)

    def _word(self, word: str) -> bool | None:
        if word in self.present:
            return True
        return False if word in self.absent else None

    def _site(self, words: tuple[str, ...]) -> bool | None:
        """A site test is false when other sites are given, unless a given site is wider than the one asked for."""
        if any(w in self.present for w in words):
            return True
        given = [w for w, said in self.said.items() if said and self.library.words[w].group == "site"]
        if not given:
            return False if all(w in self.absent for w in words) else None
        wanted = {wide for w in words for wide in self.library.wider[w]}
        return None if any(g in wanted for g in given) else False

    def _quantity(self, test: Test, quantity: str) -> bool | None:
        levels = self.levels.get(quantity)
        if test.is_ is not None:
            if levels is None:
                return None
            wanted = (test.is_,) if isinstance(test.is_, str) else test.is_
            if levels.intersection(wanted):
                return True
            return None if quantity in self.values and not levels & {"low", "normal", "high"} else False
        value = self.values.get(quantity)
        if value is None:
            return None
        card = self.library.quantities[quantity]
        over, under, at_least, at_most = (_limit(card.id, t, self.library) for t in (test.over, test.under, test.at_least, test.at_most))
        return not (
            (over is not None and value <= over)
            or (under is not None and value >= under)
            or (at_least is not None and value < at_least)
            or (at_most is not None and value > at_most)
        )


def subject(test: Test) -> tuple[str, tuple[str, ...]]:
    """The word group a test asks about, and the words, any of which will do."""
    for group in WORD_GROUPS:
        words = getattr(test, group)
        if words is not None:
            return group, ((words,) if isinstance(words, str) else words)
    return "", ()


def atoms(test: Test) -> Iterator[str]:
    """Every word and quantity a test mentions."""
    for part in (*(test.any or ()), *(test.all or ()), *((test.not_,) if test.not_ else ())):
        yield from atoms(part)
    quantity = test.lab or test.measure
    if quantity:
        yield quantity
    yield from subject(test)[1]


def _all(found: Iterator[bool | None]) -> bool | None:
    states = list(found)
    return False if False in states else None if None in states else True


def _any(found: Iterator[bool | None]) -> bool | None:
    states = list(found)
    return True if True in states else None if None in states else False


def _newest(readings: tuple[Reading, ...]) -> list[Reading]:
    newest: dict[str, Reading] = {}
    for reading in readings:
        held = newest.get(reading.quantity)
        if held is None or (reading.when or "") >= (held.when or ""):
            newest[reading.quantity] = reading
    return list(newest.values())


def _levels(value: float, card: Quantity, facts: Facts) -> frozenset[str]:
    named = {"known"}
    verdicts = {_verdict(value, band) for band in _bands(card, facts)}
    if len(verdicts) == 1:
        named |= verdicts
    for level in card.levels:
        if (level.over is not None and value > level.over) or (level.under is not None and value < level.under):
            named.add(level.name)
            named.discard("normal")
            named |= (
                {facts.library.reasoning.levels_imply[level.name]} & {"low", "high"}
                if level.name in facts.library.reasoning.levels_imply
                else set()
            )
    return frozenset(named)


def _verdict(value: float, band: Band) -> str:
    if band.low is not None and value < band.low:
        return "low"
    return "high" if band.high is not None and value > band.high else "normal"


def _bands(card: Quantity, facts: Facts) -> list[Band]:
    """The reference bands that may apply: of this age and sex, or all that could where one is unknown (adults if age is)."""
    age = facts.values.get("age")
    adult = facts.library.reasoning.adult_from_years
    sex = next((s for s in ("female", "male") if s in facts.present), None)
    fits = []
    for band in card.bands:
        first, last = band.from_years or 0, float("inf") if band.to_years is None else band.to_years
        if band.sex in (None, sex) or sex is None:
            if (last > adult) if age is None else (first <= age < last):
                fits.append(band)
    return fits


@lru_cache(maxsize=4096)
def _limit(quantity: str, text: str | None, library: Library) -> float | None:
    return None if text is None else parse(text, library.quantities[quantity])[0]
