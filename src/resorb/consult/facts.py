"""Facts: a case as the cards see it. Words with all they imply, numbers with low, normal, high."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence.cards import Band, Formula, Quantity, Test
from ..evidence.library import Library
from ..terms.case import Case, Reading
from .conditions import Ready, prepared, ready
from .formulas import compute


class Facts:
    """What is present, absent and measured in one case."""

    def __init__(self, case: Case, library: Library) -> None:
        self.library, self.case = library, case
        self._prepared = prepared(library)
        self.said = {f.word: f.present for f in case.facts}
        self.present: set[str] = set()
        self.absent: set[str] = set()
        for fact in case.facts:
            if fact.present is True and fact.word in library.wider:
                self.present |= library.wider[fact.word]
            elif fact.present is False and fact.word in library.narrower:
                self.absent |= library.narrower[fact.word]
        for word in _on_scans(case, library):
            self.present |= library.wider[word]
        self.absent -= self.present
        given = {w for w in self.present if w in self.said and library.words[w].group == "site"}
        self.sites = given - {w for g in given for w in library.around[g] if w != g}
        self.sites = self.sites.difference(library.reasoning.tissues) or self.sites
        self.values: dict[str, float] = {}
        self.levels: dict[str, frozenset[str]] = {}
        self.computed: list[tuple[Formula, float]] = []
        self.written: dict[str, str] = {}
        self.unsure: dict[str, str] = {}  # values that disagree, as they were written
        for reading in _newest(case.readings):
            self._take(reading)
        for quantity, words in library.reasoning.zero_means.items():
            if self.values.get(quantity) == 0:
                self.present |= {wide for word in words for wide in library.wider[word]}
        for formula in library.decks.formulas:
            self._compute(formula)
        for quantity in tuple(self.values):
            self.levels.setdefault(quantity, _levels(self.values[quantity], library.quantities[quantity], self))
        self._better()

    def _take(self, reading: Reading) -> None:
        if reading.value is None and reading.level is None:
            self.unsure[reading.quantity] = reading.written
            return
        self.written[reading.quantity] = reading.written
        if reading.value is not None:
            self.values[reading.quantity] = reading.value
        elif reading.level:
            implied = self.library.reasoning.levels_imply.get(reading.level)
            self.levels[reading.quantity] = frozenset({"known", reading.level, *([implied] if implied else [])})

    def _compute(self, formula: Formula) -> None:
        value = compute(formula, self.values, self.present, self.absent)
        if value is None:
            return
        self.computed.append((formula, value))
        if formula.makes in self.library.quantities and formula.makes not in self.values and formula.makes not in self.levels:
            self.values[formula.makes] = value
            self.written[formula.makes] = f"{value:.3g} {self.library.quantities[formula.makes].unit}, computed"

    def _better(self) -> None:
        """Where a better quantity speaks (ionised for total calcium), its level is believed; a named extreme that agrees is kept."""
        imply = self.library.reasoning.levels_imply
        for quantity in self.library.decks.quantities:
            better = next((b for b in quantity.better if b in self.levels), None)
            if better is not None:
                own = self.levels.get(quantity.id, frozenset())
                self.levels[quantity.id] = self.levels[better] | {level for level in own if imply.get(level) in self.levels[better]}

    @property
    def tell_nothing(self) -> bool:
        """Whether the case says nothing but who the person is."""
        case = self.case
        of_health = [*(f for f in case.facts if f.group != "sex"), *(r for r in case.readings if r.quantity != "age"), *case.done]
        return not of_health and case.change is None

    def ids(self) -> Iterator[str]:
        """Every word and quantity this case says anything about."""
        yield from self.present
        yield from self.absent
        yield from self.levels

    def ready(self, test: Test) -> Ready:
        """The test as a function, with what it mentions."""
        return ready(test, self.library)

    def holds(self, test: Test) -> bool | None:
        """Whether the test is true, false or unknown here."""
        found = self._prepared.get(id(test))
        return (found or ready(test, self.library)).holds(self)


def _on_scans(case: Case, library: Library) -> tuple[str, ...]:
    """The findings that two scans add to a case; none where the case says for itself whether the deposit grew."""
    cards = library.reasoning.seen_as
    told = {f.word for f in case.facts}
    card = cards.get(case.change.total.verdict) if case.change is not None else None
    return () if card is None or any(told.intersection(c.findings) for c in cards.values()) else card.findings


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
        of_age = (last > adult) if age is None else (first <= age < last)
        if of_age and (sex is None or band.sex in (None, sex)):
            fits.append(band)
    return fits
