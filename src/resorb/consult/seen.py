"""Seen: what two scans showed, beside what the evidence of the first kind expects by then, and when another scan could tell more."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..evidence.cards import Kind, Said
from ..terms.assessment import Estimate, NextScan, Refusal, Seen, SeenDeposit, SeenMeasure, Sentence
from ..terms.time import months_in_words
from .facts import Facts
from .words import as_sources

if TYPE_CHECKING:
    from ..terms.change import Change

_MEASURES = (("mass_mg", "mass", "mg"), ("volume_mm3", "volume", "mm3"), ("agatston", "Agatston score", "AU"))
_APPLIES = ("direct", "general", "conditional", "indirect")
_MOST, _YEAR = 4, 12
_ONE_POINT = {
    "resolved": "nothing is left whose pace could be followed; another scan tells only whether it comes back",
    "new": "it was first seen on the later scan, and one point has no pace",
}


def seen(change: Change | None, kind: Kind | None, estimates: tuple[Estimate, ...], facts: Facts) -> Seen | None:
    """The observed course; none where the case knows of no two scans."""
    if change is None:
        return None
    verdict, months = change.total.verdict, change.months_between
    measures = tuple(_measures(change))
    courses = {*(d.option for d in facts.case.done), *facts.library.reasoning.natural_courses, "any_course"}
    rows = tuple(e for e in estimates if kind is not None and e.kind == kind.id and e.course in courses)
    expected = _expected(change, rows, facts)
    after = _next(change, measures, rows, facts)
    left_open = [Refusal("what was seen", change.total.why)] if verdict in ("cannot tell", "not covered") else []
    asked = kind is not None and verdict in facts.library.reasoning.seen_as and facts.library.reasoning.seen_as[verdict].outcomes
    left_open += [Refusal("what was to be expected", _no_study(verdict, kind))] if kind is not None and asked and not expected else []
    left_open += [after] if isinstance(after, Refusal) else []
    left_open += [] if months is not None else [Refusal("the pace", "the scans are not dated")]
    unlike = tuple(Sentence(d.says, d.source or ("expert",)) for d in change.comparable if d.effect != "said")
    counts: Counter[str] = Counter(d.verdict for d in change.deposits)
    return Seen(
        verdict, change.total.why, months, dict(counts), measures, expected, tuple(_means(verdict, kind, facts)), unlike,
        after if isinstance(after, NextScan) else None, tuple(left_open), tuple(_deposits(change)),
    )  # fmt: skip


def _measures(change: Change) -> Iterator[SeenMeasure]:
    """What could be compared of the total, with its pace by year."""
    by = _YEAR / change.months_between if change.months_between and change.total.verdict not in _ONE_POINT else None
    for m in _compared(change.total):
        pace = None if by is None else m.change * by
        yield replace(m, per_year=pace, per_year_percent=None if pace is None or m.before <= 0 else 100 * pace / m.before)


def _compared(row: object) -> Iterator[SeenMeasure]:
    """The measures of a deposit or of the total that have numbers, mass first."""
    for field, name, unit in _MEASURES:
        d = getattr(row, field)
        if not isinstance(d, Refusal):
            yield SeenMeasure(name, unit, d.before, d.after, d.change, d.low, d.high, d.detectable)


def _deposits(change: Change) -> Iterator[SeenDeposit]:
    for number, d in enumerate(change.deposits, 1):
        yield SeenDeposit(number, d.verdict, d.why, d.site, next(_compared(d), None))


def _expected(change: Change, rows: tuple[Estimate, ...], facts: Facts) -> tuple[Estimate, ...]:
    """The rows of the same outcome, for each course and unit the one nearest in time; what was done comes first."""
    card = facts.library.reasoning.seen_as.get(change.total.verdict)
    if card is None:
        return ()
    done = {d.option for d in facts.case.done}
    same = [e for e in rows if e.outcome in card.outcomes]
    nearest: dict[tuple[str, str, str], Estimate] = {}
    for e in sorted(same, key=lambda e: (_APPLIES.index(e.applies), _apart(e, change.months_between))):
        nearest.setdefault((e.outcome, e.course, e.effect.unit if e.effect else ""), e)
    return tuple(sorted(nearest.values(), key=lambda e: (e.course not in done, card.outcomes.index(e.outcome))))[:_MOST]


def _apart(e: Estimate, months: float | None) -> float:
    """How far a row's time is from ours, as a ratio; rows without a time come last."""
    if not months:
        return 0.0
    if not e.by_months:
        return math.inf
    return abs(math.log(e.by_months / months))


def _no_study(verdict: str, kind: Kind) -> str:
    return f"no study read here counted that outcome ({verdict}) of {kind.name} without treatment, or under what was done"


def _means(verdict: str, kind: Kind | None, facts: Facts) -> Iterator[Sentence]:
    """What the card of the kind says of this verdict, then what holds of any kind."""
    for said in kind.on_scans if kind else ():
        wanted = (said.verdict,) if isinstance(said.verdict, str) else said.verdict
        if verdict in wanted and all(facts.holds(test) for test in said.when):
            yield _sentence(said)
    card = facts.library.reasoning.seen_as.get(verdict)  # type: ignore[call-overload]
    if card is not None:
        yield _sentence(card)


def _sentence(said: Said) -> Sentence:
    return Sentence(" ".join(said.says.split()), as_sources(said.source))


def _next(change: Change, measures: tuple[SeenMeasure, ...], estimates: tuple[Estimate, ...], facts: Facts) -> NextScan | Refusal:
    """When another scan made the same way could show more, at the pace seen or, where none shows, at that of the studies."""
    about, verdict = "the next scan", change.total.verdict
    if verdict in _ONE_POINT:
        return Refusal(about, _ONE_POINT[verdict])
    if not measures:
        return Refusal(about, "no total could be compared, so no pace can be had")
    first = measures[0]
    if not change.months_between or first.per_year is None:
        return Refusal(about, "the time between the scans is not known, so no pace can be had")
    if verdict == "shrank" and first.after < first.detectable:
        left, least = f"{first.after:.3g} {first.unit}", f"{first.detectable:.3g} {first.unit}"
        return Refusal(
            about, f"what is left ({left}) is less than these scans can show as a change ({least}): another tells only if any is left"
        )
    if abs(first.change) > first.detectable:
        wait = _YEAR * first.detectable / abs(first.per_year)
        return _scan_again(wait, f"at the pace seen ({first.per_year:+.3g} {first.unit} a year)", first, facts)
    return _at_reported_pace(change.months_between, measures, estimates, facts)


def _at_reported_pace(
    months: float, measures: tuple[SeenMeasure, ...], estimates: tuple[Estimate, ...], facts: Facts
) -> NextScan | Refusal:
    """Where no change shows: when the pace of the studies would show against the first scan."""
    for e in estimates:
        unit = facts.library.reasoning.pace_units.get(e.effect.unit) if e.effect else None
        of = next((m for m in measures if unit in ("share", _field(m))), None)
        if e.effect is None or unit is None or of is None or e.applies == "indirect" or e.effect.value <= 0:
            continue
        pace = e.effect.value * of.before / 100 if unit == "share" else e.effect.value
        if pace > 0:
            wait = _YEAR * of.detectable / pace - months
            said = f"held against the first, at the pace of a study ({e.effect.value:g} {e.effect.unit}, {e.studies[0].short})"
            return _scan_again(max(0.0, wait), said, of, facts, (e.studies[0].source,))
    least = f"{measures[0].detectable:.3g} {measures[0].unit}"
    return Refusal("the next scan", f"no change shows and no study read here gives a pace; a change of {least} or more would show")


def _field(measure: SeenMeasure) -> str:
    return next(field for field, name, _ in _MEASURES if name == measure.measure)


def _scan_again(wait: float, pace: str, of: SeenMeasure, facts: Facts, source: tuple[str, ...] = ()) -> NextScan:
    note = facts.library.reasoning.scan_again
    when = f"from about {months_in_words(wait)} after the last scan on" if wait else "by now"
    least = f"{of.detectable:.3g} {of.unit} of {of.measure}"
    says = f"Another scan made the same way could show more {when}, {pace}: these scans show changes from {least} on."
    more = () if note is None else as_sources(note.source)
    return NextScan(wait, f"{says} {' '.join(note.says.split()) if note else ''}".strip(), tuple(dict.fromkeys((*source, *more))))


_IN_WORDS = {
    "resolved": "the calcium seen before is gone",
    "shrank": "there is less calcium than before",
    "unchanged": "no change that they could have shown",
    "grew": "there is more calcium than before",
    "new": "there is calcium where none was before",
    "merged": "deposits have become one",
    "split": "a deposit has come apart",
    "not covered": "they show different parts, so they tell nothing of a change",
    "cannot tell": "they cannot tell whether anything changed",
}


def in_words(found: Seen) -> str:
    """One or two sentences for the paragraph in plain words."""
    apart = f", {months_in_words(found.months_between)} apart," if found.months_between else ""
    said = f"Two scans{apart} show: {_IN_WORDS[found.verdict]}"
    if found.measures:
        m = found.measures[0]
        said += f" ({m.measure} {m.before:.3g} {m.unit} before, {m.after:.3g} after)"
    nearest = next((e for e in found.expected if e.estimate is not None), None)
    if nearest is None:
        return f"{said}."
    time = f" by {months_in_words(nearest.by_months)}" if nearest.by_months else ""
    return f"{said}. In the nearest study that happened to about {nearest.estimate:.0f} of 100 {nearest.studies[0].unit}{time}."
