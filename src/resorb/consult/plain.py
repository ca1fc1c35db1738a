"""In plain words: a short paragraph a lay reader understands, and the questions to take to a clinician."""

from __future__ import annotations

from ..evidence.cards import Kind
from ..terms.assessment import AbsenceShown, Estimate, Plain, Ranked, RedFlagFound, Seen
from ..terms.time import months_in_words
from .facts import Facts
from .seen import in_words

_URGENT = {"emergency": "Do not wait", "urgent": "Do not wait", "soon": "Have this looked at soon"}
_SURE = ("high", "moderate", "low", "very low")


def plain(
    kinds: tuple[Ranked, ...],
    flags: tuple[RedFlagFound, ...],
    estimates: tuple[Estimate, ...],
    absence: tuple[AbsenceShown, ...],
    facts: Facts,
    observed: Seen | None = None,
) -> Plain:
    """The paragraph and the questions; numbers in it are those of `estimates`, and of two scans where there are any."""
    library = facts.library
    parts = [f"{_URGENT[flag.urgency]}: {flag.says} {flag.do}" for flag in flags][:2]
    parts += [in_words(observed)] if observed is not None else []
    if library.reasoning.no_deposit in facts.present:
        told = [f"{a.means} {a.does_not_mean}" for a in absence] or ["What that means at this site is on no card here."]
        return Plain(
            " ".join([*parts, "No calcification was seen.", *told[:2]]),
            ("What else explains why I was examined?", "Need I be examined again?"),
        )
    if not kinds and facts.tell_nothing:
        parts.append("Nothing was given that says what this is: no place, no finding, no diagnosis and no lab that is known here.")
        return Plain(" ".join(parts), ("Where is it, and what showed it?", "Which tests have been done?"))
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
    """The nearest estimate of going away by itself (and the nearest with an interval), and the surest of relief against a comparison."""
    reasoning = facts.library.reasoning
    numbers = [e for e in estimates if e.kind == kind.id and e.estimate is not None and e.applies in ("direct", "general")]
    away = [e for e in numbers if e.outcome in reasoning.goes_away and e.course in reasoning.natural_courses]
    counted = [e for e in away if e.low is not None and e not in away[:1]] if away and away[0].low is None else []
    relief = [e for e in numbers if e.outcome in reasoning.relief and (e.against is not None or e.course in reasoning.natural_courses)]
    relief.sort(key=lambda e: _SURE.index(e.certainty.level))
    rest = [e for e in numbers if e.outcome in reasoning.headline and e.course in (*reasoning.natural_courses, "any_course")]
    return [*away[:1], *counted[:1], *(relief or ([] if away else rest))[:1]]


def _frequency(e: Estimate, facts: Facts) -> str:
    people = e.studies[0].unit
    time = f" by {months_in_words(e.by_months)}" if e.by_months else ""
    reach = f" (the true figure may lie between {e.low:.0f} and {e.high:.0f})" if e.low is not None and e.high is not None else ""
    how = "In one study" if len(e.studies) == 1 else f"In {len(e.studies)} studies together"
    return f"{how}, {e.outcome_name}: about {e.estimate:.0f} of 100 {people}{time}, with {e.course_name}{reach}{_against(e, facts)}."


def _against(e: Estimate, facts: Facts) -> str:
    return f", against {e.against.percent:.0f} with {e.against.course_name}" if e.against else ""
