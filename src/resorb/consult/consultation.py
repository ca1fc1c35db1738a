"""Assess: a case and the evidence in, the whole answer out. No files, no clock, no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from .._version import __version__
from ..evidence.cards import Kind
from ..evidence.library import Library
from ..terms.assessment import (
    AbsenceShown,
    Assessment,
    Estimate,
    Observed,
    Ranked,
    Refusal,
    Score,
    Seen,
    Sentence,
    SourceShown,
    Versions,
)  # fmt: skip
from ..terms.case import Case
from .ask_next import ask_next
from .facts import Facts
from .options import claims, follow_up, options, sentences
from .outlook import outlook
from .plain import plain
from .recognise import Standing, ranked, stand
from .red_flags import red_flags
from .seen import seen
from .sources import shown
from .words import as_sources, name_of, phrase

_NO_SOURCES = frozenset(("evidence", "expected", "not_known", "questions"))


def assess(case: Case, library: Library) -> Assessment:
    """The answer for one case. Deterministic: same case and same evidence, same answer."""
    facts = Facts(case, library)
    reasoning = library.reasoning
    standings, ruled_out = stand(facts, "kinds")
    nothing_seen = reasoning.no_deposit in facts.present
    fitting = [] if nothing_seen else [s for s in standings if s.points >= reasoning.fits_at]
    shown = [s for s in standings if s.points > 0][: reasoning.show_kinds] if fitting else []
    kinds = ranked(shown, facts)
    considered = ranked([s for s in standings if s not in shown][: reasoning.show_kinds], facts)
    cards = [library.kinds[k.id] for k in kinds[: reasoning.outlook_kinds]]
    by_kind = {card.id: outlook(card, facts) for card in cards}
    outlooks = tuple(e for card in cards for e in by_kind[card.id])
    done = frozenset(d.option for d in case.done)
    flags = red_flags(facts)
    first = cards[:1]
    absence = _absence(facts) if nothing_seen else ()
    observed = seen(case.change, first[0] if first else None, outlooks, facts)
    answer: dict[str, Any] = {
        "red_flags": flags,
        "mechanism": _mechanism(kinds, facts),
        "kinds": kinds,
        "considered": considered,
        "ruled_out": tuple(_ruled_out(ruled_out[: reasoning.show_kinds], library)),
        "causes": _causes(first, facts),
        "outlooks": outlooks,
        "changes": tuple(s for card in first for s in sentences(card.changes, facts)),
        "hurts": tuple(s for card in first for s in sentences(card.hurts, facts)),
        "options": tuple(o for card in cards for o in options(card, by_kind[card.id], done, facts)),
        "claims": tuple(c for card in cards for c in claims(card)),
        "absence": absence,
        "observed": _observed(case, outlooks),
        "scores": _scores(facts),
        "ask_next": ask_next(standings, facts),
        "cannot_say": (*_cannot_say(kinds, cards, by_kind, facts, nothing_seen), *(observed.cannot_say if observed else ())),
        "follow_up": tuple(f for card in first for f in follow_up(card, facts)),
        "plain": plain(kinds, flags, outlooks, absence, facts, observed),
        "seen": observed,
    }
    return Assessment(
        **answer, sources=_sources(answer, case, library), versions=Versions(__version__, library.version, case.digest),
        notice=reasoning.notice, read_from=case.read_from,
    )  # fmt: skip


def _ruled_out(standings: list[Standing], library: Library) -> Iterator[Refusal]:
    """Kinds that something speaks for and a defining fact excludes."""
    for standing in standings:
        if standing.ruled_out is not None and standing.points >= library.reasoning.fits_at:
            yield Refusal(standing.card.name, f"needs {phrase(standing.ruled_out, library)}")


def _mechanism(kinds: tuple[Ranked, ...], facts: Facts) -> Sentence | None:
    """Dystrophic or metastatic, by the blood; only where that question arises."""
    if kinds and kinds[0].family not in facts.library.reasoning.mechanism_families:
        return None
    for said in facts.library.reasoning.mechanism:
        if all(facts.holds(t) for t in said.when):
            return Sentence(said.says, as_sources(said.source))
    return None


def _causes(first: list[Kind], facts: Facts) -> tuple[Ranked, ...]:
    """What stands behind it: causes that reach a fit by themselves, or are named by the first kind and have a reason."""
    reasoning = facts.library.reasoning
    named = {c for card in first for c in card.causes}
    standings: list[Standing] = [
        s for s in stand(facts, "causes")[0] if s.points >= reasoning.fits_at or (s.card.id in named and s.points > 0)
    ]
    return ranked(standings[: reasoning.show_causes], facts)


def _absence(facts: Facts) -> tuple[AbsenceShown, ...]:
    """What no calcification at this site does and does not mean."""
    return tuple(
        AbsenceShown(kind.id, a.means, a.does_not_mean, as_sources(a.source))
        for kind in facts.library.decks.kinds
        for a in kind.absence
        if facts.library.reasoning.no_deposit in facts.present and facts.present.intersection(a.sites)
    )


def _observed(case: Case, outlooks: tuple[Estimate, ...]) -> tuple[Observed, ...]:
    return tuple(
        Observed(d.option, d.outcome, d.after_months, tuple(e for e in outlooks if e.course == d.option and e.outcome == d.outcome))
        for d in case.done
        if d.outcome
    )


def _scores(facts: Facts) -> tuple[Score, ...]:
    return tuple(
        Score(
            f.id,
            f.name,
            value,
            facts.library.quantities[f.makes].unit if f.makes in facts.library.quantities else "",
            f.says,
            as_sources(f.source),
        )
        for f, value in facts.computed
    )


def _cannot_say(
    kinds: tuple[Ranked, ...], cards: list[Kind], by_kind: dict[str, tuple[Estimate, ...]], facts: Facts, nothing_seen: bool
) -> Iterator[Refusal]:
    """Refusals, each with its reason."""
    if nothing_seen:
        yield Refusal("kind", "no calcification was seen, so there is no deposit to name")
    elif facts.tell_nothing:
        yield Refusal("kind", "nothing was given that a card knows: no place, finding, diagnosis, lab or measure")
    elif not kinds:
        yield Refusal("kind", "none of the kinds on the cards fits what was given")
    elif kinds[0].tied:
        yield Refusal("kind", f"{' and '.join(k.name for k in kinds if k.rank == 1)} fit equally well")
    for card in cards[:1]:
        numbers = [e for e in by_kind[card.id] if e.estimate is not None and e.applies != "indirect"]
        if not any(e.outcome in facts.library.reasoning.goes_away for e in numbers):
            yield Refusal("going away", f"no study read here counted how often {card.name} goes away in people like this")
        if numbers and not any(e.low is not None for e in numbers):
            yield Refusal("interval", f"the studies of {card.name} gave percentages without counts")
        yield from (Refusal(card.name, gap) for gap in card.gaps)
    for quantity, levels in facts.levels.items():
        if quantity in facts.values and facts.library.quantities[quantity].bands and not levels & {"low", "normal", "high"}:
            yield Refusal(name_of(quantity, facts.library), "whether it is low, normal or high depends on age or sex, which are not known")


def _sources(answer: Any, case: Case, library: Library) -> tuple[SourceShown, ...]:
    """Every source any part of the answer rests on; those of two scans that no card here has are told as the scans told them."""
    used: set[str] = set()
    _mentioned(tuple(answer.values()), used)
    own = case.change.sources if case.change is not None else ()
    return (*shown(sorted(used), library), *(s for s in own if s.id in used and s.id not in library.sources))


def _mentioned(part: Any, found: set[str]) -> None:
    """Add the source ids in a part of the answer. Estimates beside an option or a deed are looked at once, among the outlooks."""
    if isinstance(part, tuple):
        for child in part:
            _mentioned(child, found)
    elif isinstance(part, Seen) and part.next_scan is not None:
        found.update(part.next_scan.source)
        _mentioned((part.means, part.mind), found)
    elif isinstance(part, Estimate):
        found.update(study.source for study in part.studies)
    else:
        for name in _naming(part.__class__):
            value = getattr(part, name)
            if name == "source":
                found.update(value)
            elif value:
                _mentioned(value, found)


@cache
def _naming(of: type) -> tuple[str, ...]:
    """The fields of a part of the answer in which a source may be named: `source`, and tuples of further parts."""
    tuples = {f.name for f in fields(of) if str(f.type).startswith("tuple[") and "str" not in str(f.type)} if is_dataclass(of) else set()
    return tuple(name for name in getattr(of, "__dataclass_fields__", ()) if name == "source" or name in tuples - _NO_SOURCES)
