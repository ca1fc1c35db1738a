"""In plain words: a short paragraph a lay reader understands, and the questions to take to a clinician."""

from __future__ import annotations

from ..evidence.cards import Kind
from ..terms.assessment import Estimate, Plain, Ranked, RedFlagFound
from ..terms.time import months_in_words
from .facts import Facts
from .words import name_of


def plain(kinds: tuple[Ranked, ...], flags: tuple[RedFlagFound, ...], estimates: tuple[Estimate, ...], facts: Facts) -> Plain:
    """The paragraph and the questions; numbers in it are those of `estimates`."""
    library = facts.library
    parts = [f"Do not wait: {flag.says} {flag.do}" for flag in flags if flag.urgency != "soon"][:2]
    if not kinds:
        parts.append("None of the kinds of calcification known here fits what was given. That is not the same as nothing being there.")
        return Plain(" ".join(parts), ("What else could this be?", "Which finding or test would tell?"))
    first = library.kinds[kinds[0].id]
    parts.append(_named(kinds))
    parts.append(first.plain.strip())
    parts += [_frequency(e, facts) for e in _main(first, estimates, facts)]
    return Plain(" ".join(parts), first.questions)


def _named(kinds: tuple[Ranked, ...]) -> str:
    top = [k.name for k in kinds if k.rank == 1]
    if len(top) > 1:
        return f"What was given fits equally well with {' and with '.join(top)}; more facts are needed to tell."
    next_best = [k.name for k in kinds[1:3] if k.fit != "weak"]
    rest = f" Next comes {' and then '.join(next_best)}." if next_best else ""
    sure = {"strong": "fits well with", "moderate": "fits with", "weak": "fits only loosely with"}[kinds[0].fit]
    return f"What was given {sure} {top[0]}.{rest}"


def _main(kind: Kind, estimates: tuple[Estimate, ...], facts: Facts) -> list[Estimate]:
    """The nearest estimate of going away by itself (and the nearest with an interval), and of relief."""
    reasoning = facts.library.reasoning
    numbers = [e for e in estimates if e.kind == kind.id and e.estimate is not None and e.applies in ("direct", "general")]
    away = [e for e in numbers if e.outcome in reasoning.goes_away and e.course in reasoning.natural_courses]
    relief = [e for e in numbers if e.outcome in reasoning.relief]
    rest = [e for e in numbers if e.outcome not in reasoning.goes_away]
    counted = [e for e in away if e.low is not None and e not in away[:1]] if away and away[0].low is None else []
    compared = [e for e in relief if e.against is not None or e.course in reasoning.natural_courses]
    return [*away[:1], *counted[:1], *(compared or ([] if away else rest))[:1]]


def _frequency(e: Estimate, facts: Facts) -> str:
    people = e.studies[0].unit
    time = f" by {months_in_words(e.by_months)}" if e.by_months else ""
    reach = f" (the true figure may lie between {e.low:.0f} and {e.high:.0f})" if e.low is not None and e.high is not None else ""
    how = "In one study" if len(e.studies) == 1 else f"In {len(e.studies)} studies together"
    return (
        f"{how}, {name_of(e.outcome, facts.library)}: about {e.estimate:.0f} of 100 {people}{time}, "
        f"with {name_of(e.course, facts.library)}{reach}{_against(e, facts)}."
    )


def _against(e: Estimate, facts: Facts) -> str:
    return f", against {e.against.percent:.0f} with {name_of(e.against.course, facts.library)}" if e.against else ""
