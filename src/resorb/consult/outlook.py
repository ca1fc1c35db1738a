"""Outlook: the rows of a kind that speak of this case, each with its interval, pooled only where studies are alike.

Rows whose people differ from the case are shown as indirect, and only where nothing nearer exists.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from ..evidence.cards import Kind, Row, Test
from ..evidence.library import Library
from ..evidence.quantities import parse
from ..evidence.showing import short_name
from ..terms.assessment import Certainty, Comparison, EffectShown, Estimate, Study
from .facts import Facts
from .numbers import newcombe_1998, random_effects, wilson_1927
from .words import name_of, phrase

_START = {
    "meta_analysis": 3, "randomised_trial": 3, "cohort": 3, "case_control": 2, "cross_sectional": 2,
    "case_series": 1, "survey": 1, "case_report": 0,
}  # fmt: skip
_ANY_COURSE = "any_course"
_LEVELS = ("very low", "low", "moderate", "high")
_APPLIES = ("direct", "general", "conditional", "indirect")


class _Match(NamedTuple):
    row: Row
    states: tuple[bool | None, ...]
    applies: str
    met: tuple[Test, ...]
    unknown: tuple[Test, ...]
    differs: tuple[Test, ...]


def outlook(kind: Kind, facts: Facts) -> tuple[Estimate, ...]:
    """Every estimate for this kind, nearest to the case first."""
    matches = [_match(row, facts) for row in kind.outlook]
    nearer = {(m.row.outcome, m.row.course) for m in matches if m.applies != "indirect"}
    kept = [m for m in matches if m.applies != "indirect" or (m.row.outcome, m.row.course) not in nearer]
    groups: dict[object, list[_Match]] = defaultdict(list)
    for match in kept:
        groups[_alike(match, facts.library)].append(match)
    estimates: list[tuple[int, Estimate]] = []
    for group in groups.values():
        sources = {m.row.source for m in group}
        if all(_poolable(m.row, facts.library) for m in group) and len(sources) == len(group) >= facts.library.reasoning.pool_from:
            estimates.append((len(group[0].met), _pooled(kind, group, facts.library)))
        else:
            estimates += [(len(m.met), _single(kind, m, facts.library)) for m in group]
    estimates.sort(key=lambda e: (_APPLIES.index(e[1].applies), _order(e[1], facts.library), -e[0], e[1].by_months or 0))
    return _with_disagreement([e for _, e in estimates], facts.library)


def _poolable(row: Row, library: Library) -> bool:
    return row.counted is not None and row.counted.of >= library.reasoning.percent_from


def _order(e: Estimate, library: Library) -> int:
    """Going away by itself first, then under treatment, then relief, then the rest; effects without a percentage last."""
    reasoning = library.reasoning
    if e.estimate is None:
        return 4
    if e.outcome in reasoning.goes_away:
        return 0 if e.course in reasoning.natural_courses else 1
    return 2 if e.outcome in reasoning.relief else 3


def _match(row: Row, facts: Facts) -> _Match:
    met: list[Test] = []
    unknown: list[Test] = []
    differs: list[Test] = []
    states = tuple(facts.holds(test) for test in row.among)
    for test, state in zip(row.among, states, strict=True):
        (met if state else unknown if state is None else differs).append(test)
    applies = "indirect" if differs else "conditional" if unknown else "direct" if met else "general"
    return _Match(row, states, applies, tuple(met), tuple(unknown), tuple(differs))


def _alike(match: _Match, library: Library) -> object:
    """Studies may stand together only with equal outcome, course, people, unit and time."""
    alike = _signatures(library)
    if id(match.row) not in alike:
        row = match.row
        unit = row.counted.unit if row.counted else None
        alike[id(row)] = row.outcome, row.course, _band(_months(row, library), library), frozenset(map(repr, row.among)), unit
    return alike[id(match.row)]


@lru_cache(maxsize=8)
def _signatures(library: Library) -> dict[int, object]:
    del library
    return {}


def _months(row: Row, library: Library) -> float | None:
    part = row.counted or row.reported or row.effect
    return None if part is None or part.by is None else _parsed(part.by, library)


@lru_cache(maxsize=4096)
def _parsed(by: str, library: Library) -> float:
    return round(parse(by, library.quantities["duration"])[0], 2)


def _band(months: float | None, library: Library) -> int | None:
    if months is None:
        return None
    return sum(months > limit for limit in library.reasoning.horizon_bands_months)


@lru_cache(maxsize=8)
def _singles(library: Library) -> dict[tuple[int, tuple[bool | None, ...]], Estimate]:
    """Estimates of single rows, by the row's identity and how its people match; filled as they are first asked."""
    del library
    return {}


def _single(kind: Kind, match: _Match, library: Library) -> Estimate:
    made = _singles(library)
    key = (id(match.row), match.states)
    if key not in made:
        made[key] = _estimate(kind, match, library)
    return made[key]


def _estimate(kind: Kind, match: _Match, library: Library) -> Estimate:
    row = match.row
    value = low = high = None
    how = "one study"
    if row.counted and row.counted.of < library.reasoning.percent_from:
        how = "too few people for a percentage"
    elif row.counted:
        value, low, high = (100 * x for x in wilson_1927(row.counted.events, row.counted.of))
    elif row.reported:
        value, how = row.reported.percent, "a reported percentage without a count: no interval can be computed"
    else:
        how = "an effect as reported"
    return Estimate(
        kind=kind.id, outcome=row.outcome, course=row.course, by_months=_months(row, library),
        estimate=value, low=low, high=high, studies=(_study(row, library),), how=how, applies=match.applies,
        like_this=_like(match, library), certainty=_certainty([match], library),
        against=_against(row, library), effect=_effect(row, library),
        outcome_name=name_of(row.outcome, library), course_name=name_of(row.course, library),
    )  # fmt: skip


def _pooled(kind: Kind, group: list[_Match], library: Library) -> Estimate:
    counts = tuple((m.row.counted.events, m.row.counted.of) for m in group if m.row.counted)
    found = random_effects(counts)
    first = group[0]
    months = [m for m in (_months(g.row, library) for g in group) if m is not None]
    return Estimate(
        kind=kind.id, outcome=first.row.outcome, course=first.row.course, by_months=max(months) if months else None,
        estimate=100 * found.value, low=100 * found.low, high=100 * found.high,
        studies=tuple(_study(m.row, library) for m in group), how=f"random effects over {len(group)} studies",
        applies=first.applies, like_this=_like(first, library), certainty=_certainty(group, library),
        predicts_low=100 * found.predicts_low, predicts_high=100 * found.predicts_high, heterogeneity=found.tau,
        outcome_name=name_of(first.row.outcome, library), course_name=name_of(first.row.course, library),
    )  # fmt: skip


@lru_cache(maxsize=8192)
def _study(row: Row, library: Library) -> Study:
    source = library.sources[row.source]
    counted, reported = row.counted, row.reported
    return Study(
        source=row.source, design=row.design.replace("_", " "), where=row.where, read=row.read or source.read.form, people=row.people,
        events=counted.events if counted else None, of=counted.of if counted else reported.of if reported else None,
        percent=100 * counted.events / counted.of if counted else reported.percent if reported else None,
        unit=counted.unit if counted else "people", says=row.says or "", short=short_name(source.citation, source.year),
    )  # fmt: skip


def _against(row: Row, library: Library) -> Comparison | None:
    if row.counted is None or row.counted.against is None:
        return None
    arm = row.counted.against
    found = newcombe_1998(row.counted.events, row.counted.of, arm.events, arm.of)
    difference = (100 * found.value, 100 * found.low, 100 * found.high)
    return Comparison(arm.course, arm.events, arm.of, 100 * arm.events / arm.of, *difference, course_name=name_of(arm.course, library))


def _effect(row: Row, library: Library) -> EffectShown | None:
    if row.effect is None:
        return None
    e = row.effect
    return EffectShown(e.measure, e.value, e.unit, e.low, e.high, e.interval, name_of(e.against, library) if e.against else None, e.n)


def _like(match: _Match, library: Library) -> tuple[str, ...]:
    """How like this case the studied people were."""
    told = [f"matches: {phrase(t, library)}" for t in match.met]
    told += [f"not known here: {phrase(t, library)}" for t in match.unknown]
    told += [f"differs: {phrase(t, library)}" for t in match.differs]
    return tuple(told)


def _certainty(group: list[_Match], library: Library) -> Certainty:
    """Derived from design, number of people, how the source was read and how like the case; never typed."""
    level, reasons = _certainty_of_rows(tuple(m.row for m in group), library)
    if group[0].applies == "indirect":
        level, reasons = level - 1, (*reasons, "the studied people differ from this case")
    elif group[0].unknown:
        reasons = (*reasons, "whether the studied people are like this case is not known")
    return Certainty(_LEVELS[max(0, level)], reasons)


@lru_cache(maxsize=8192)
def _certainty_of_rows(rows: tuple[Row, ...], library: Library) -> tuple[int, tuple[str, ...]]:
    reasoning = library.reasoning
    natural = rows[0].course in (*reasoning.natural_courses, _ANY_COURSE)
    level = min(_START[row.design] - (row.design == "cohort" and not natural) * 2 for row in rows)
    reasons = ["design: " + ", ".join(dict.fromkeys(row.design.replace("_", " ") for row in rows))]
    people = sum(_size(row) or 0 for row in rows)
    if any(row.design == "cohort" for row in rows) and not natural:
        reasons.append("a treatment without a comparison group")
    if people and people < reasoning.small_study:
        level, reasons = level - 1, [*reasons, f"few people ({people})"]
    if not people:
        level, reasons = level - 1, [*reasons, "no denominator reported"]
    if len(rows) == 1 and people < reasoning.large_study:
        level, reasons = level - 1, [*reasons, "one study only"]
    if any((row.read or library.sources[row.source].read.form) == "secondary" for row in rows):
        level, reasons = level - 1, [*reasons, "read in a secondary source, not in the original"]
    if len(rows) > 1 and random_effects(tuple((r.counted.events, r.counted.of) for r in rows if r.counted)).tau > 1:
        level, reasons = level - 1, [*reasons, "the studies differ widely"]
    return level, tuple(reasons)


def _size(row: Row) -> int | None:
    if row.counted:
        return row.counted.of + (row.counted.against.of if row.counted.against else 0)
    return row.reported.of if row.reported else row.effect.n if row.effect else None


def _with_disagreement(estimates: list[Estimate], library: Library) -> tuple[Estimate, ...]:
    """Say where two studies of the same question exclude each other."""
    groups: dict[object, list[int]] = defaultdict(list)
    for n, e in enumerate(estimates):
        if e.estimate is not None and e.low is not None and e.applies in ("direct", "general"):
            groups[e.outcome, e.course, _band(e.by_months, library), e.like_this].append(n)
    for members in groups.values():
        lowest = min(members, key=lambda n: estimates[n].high or 0)
        highest = max(members, key=lambda n: estimates[n].low or 0)
        one, two = estimates[lowest], estimates[highest]
        if (one.high or 0) < (two.low or 0):
            said = (
                f"studies disagree: {one.estimate:.0f} % ({one.studies[0].source}) against {two.estimate:.0f} % "
                f"({two.studies[0].source}) for {name_of(one.outcome, library)}"
            )
            for n in members:
                estimates[n] = replace(estimates[n], disagreement=said)
    return tuple(estimates)
