"""Recognition: which cards fit the facts, ranked, with every reason for and against.

Only the reasons that mention something in the case are looked at, through an index built once per library.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from msgspec import structs

from ..evidence.cards import Cause, Kind, Reason, Test, Weight
from ..evidence.library import Library
from ..terms.assessment import Ranked, Sentence, StageFound, Why
from .conditions import Prepared, atoms, ready
from .facts import Facts
from .words import as_sources, phrase


@dataclass(slots=True)
class Standing:
    """How one card stands: its points and the reasons behind them."""

    card: Kind | Cause
    points: float
    why: list[Reason]
    against: list[Reason]
    unmet: list[Test]
    ruled_out: Test | None = None


class _Entry(NamedTuple):
    """One reason of one card."""

    card: str
    reason: Reason
    holds: Prepared
    within: frozenset[str]  # for a reason that only names sites: every site wider than those
    only_wider: bool = False  # true because the site given is wider, and of a reason that asks for the site alone


class _Reasons(NamedTuple):
    """Reasons of one way in the order of the cards, and for each word or quantity the places of those that mention it."""

    entries: list[_Entry]
    places: dict[str, list[int]]

    def mentioned(self, facts: Facts) -> list[_Entry]:
        """The reasons that mention something in the case, in order."""
        places = {place for fact in facts.ids() for place in self.places.get(fact, ())}
        return [self.entries[place] for place in sorted(places)]


@lru_cache(maxsize=8)
def _index(library: Library, deck: str) -> tuple[_Reasons, _Reasons]:
    """The reasons for the cards of a deck, and those against them."""
    ways = _Reasons([], {}), _Reasons([], {})
    for card in getattr(library, deck).values():
        for way, reasons in zip(ways, (card.recognise.for_, card.recognise.against), strict=True):
            for reason in reasons:
                sites = [a for part in (reason, *(reason.all or ())) if part.site is not None for a in atoms(part)]
                within = frozenset(w for site in sites for w in library.around.get(site, ()))
                for atom in _handles(reason, library) or {*atoms(reason), *(within if way is ways[0] else ())}:
                    way.places.setdefault(atom, []).append(len(way.entries))
                way.entries.append(_Entry(card.id, reason, ready(reason, library).holds, within))
    return ways


def _handles(reason: Reason, library: Library) -> set[str]:
    """Where several things must all be true: what the rarest of them mentions. Empty where none is a plain word or quantity.

    A site is no handle, for a wider one may do; nor is a `not`, which may be true of what nobody mentioned.
    """
    if reason.all is None:
        return set()
    plain = [p for p in reason.all if p.site is None and p.all is None and p.any is None and p.not_ is None]
    return min(({*atoms(p)} for p in plain), key=lambda words: sum(library.uses[word] for word in words), default=set())


def stand(facts: Facts, deck: str) -> tuple[list[Standing], list[Standing]]:
    """Every card of the deck (`kinds` or `causes`) the facts speak for, best first; and those a `must` rules out all the same."""
    speaking_for, speaking_against = _index(facts.library, deck)
    why: dict[str, list[_Entry]] = {}
    for entry in speaking_for.mentioned(facts):
        state = entry.holds(facts)
        if state:
            why.setdefault(entry.card, []).append(entry)
        elif state is None and (reason := _wide(entry, facts)):
            why.setdefault(entry.card, []).append(entry._replace(reason=reason, only_wider=entry.reason.all is None))
    against: dict[str, list[Reason]] = {card: [] for card in why}
    for entry in speaking_against.mentioned(facts):
        if entry.card in why and entry.holds(facts):
            against[entry.card].append(entry.reason)
    cards: dict[str, Kind | Cause] = getattr(facts.library, deck)
    always = [reason for reason in facts.library.reasoning.against_every_kind if facts.holds(reason)] if deck == "kinds" else []
    standings = [_standing(cards[card], _once(entries), [*against[card], *always], facts) for card, entries in why.items()]
    standings.sort(key=lambda s: (-s.points, s.card.id))
    return [s for s in standings if s.ruled_out is None], [s for s in standings if s.ruled_out is not None]


def _may_be_there(test: Test, facts: Facts) -> bool:
    """Whether a site asked for is unknown only because the site given is wider."""
    return test.site is not None and bool(facts.sites) and facts.holds(test) is None


def _wide(entry: _Entry, facts: Facts) -> Reason | None:
    """The same reason where the site given is wider than the one asked for, all else being true: it may be there, which counts less."""
    if entry.within.isdisjoint(facts.sites):
        return None
    parts = entry.reason.all
    if parts is None:
        weight: Weight | None = facts.library.reasoning.wide_site if entry.reason.site is not None else None
    else:
        unsure = [part for part in parts if not facts.holds(part)]
        possible = len(unsure) == 1 < len(parts) and _may_be_there(unsure[0], facts)
        weight = facts.library.reasoning.wide_with.get(entry.reason.weight) if possible else None
    if weight is None:
        return None
    given = " or ".join(sorted(facts.library.words[w].name for w in entry.within & facts.sites))
    said = f"{phrase(entry.reason, facts.library)}: possible, the site given ({given}) is wider"
    return structs.replace(entry.reason, weight=weight, says=said, source="expert")


def _once(entries: list[_Entry]) -> list[Reason]:
    """A wider site is one possibility, however many narrower sites a card names."""
    first = next((e for e in entries if e.only_wider), None)
    return [e.reason for e in entries if not e.only_wider or e is first]


def _standing(card: Kind | Cause, why: list[Reason], against: list[Reason], facts: Facts) -> Standing:
    states = [(facts.holds(test), test) for test in card.recognise.must]
    unmet = [test for state, test in states if state is None]
    ruled_out = next((test for state, test in states if state is False), None)
    weights = facts.library.reasoning.weights
    points = sum(weights[r.weight] for r in why) - sum(weights[r.weight] for r in against)
    wide = sum(1 for test in unmet if _may_be_there(test, facts))
    reasoning = facts.library.reasoning
    points -= reasoning.unmet_wide * wide + reasoning.unmet_must * (len(unmet) - wide)
    return Standing(card, points, why, against, unmet, ruled_out)


def ranked(standings: list[Standing], facts: Facts) -> tuple[Ranked, ...]:
    """The standings as answers; equal points share a rank."""
    reasoning = facts.library.reasoning
    shown: list[Ranked] = []
    for standing in standings:
        level = sum(1 for s in standings if s.points == standing.points)
        rank = 1 + sum(1 for s in standings if s.points > standing.points)
        fit = "strong" if standing.points >= reasoning.strong_fit_at else "moderate" if standing.points >= reasoning.fits_at else "weak"
        card = standing.card
        shown.append(
            Ranked(
                id=card.id, name=card.name, rank=rank, tied=level > 1, fit=fit,
                why=tuple(_why(r, facts) for r in standing.why),
                against=tuple(_why(r, facts) for r in standing.against),
                not_known=tuple(phrase(t, facts.library) for t in standing.unmet),
                says=tuple(Sentence(s.says, as_sources(s.source)) for s in card.says if all(facts.holds(t) for t in s.when)),
                family=getattr(card, "family", ""), codes=card.codes,
                stages=_stages(card, facts), treat=tuple(Sentence(s.says, as_sources(s.source)) for s in getattr(card, "treat", ())),
            )
        )  # fmt: skip
    return tuple(shown)


def _why(reason: Reason, facts: Facts) -> Why:
    return Why(reason.says or phrase(reason, facts.library, facts), reason.weight, as_sources(reason.source))


def _stages(card: Kind | Cause, facts: Facts) -> tuple[StageFound, ...]:
    if not isinstance(card, Kind):
        return ()
    return tuple(
        StageFound(s.id, s.name, s.scheme, s.says, as_sources(s.source))
        for s in card.stages
        if s.when and all(facts.holds(t) for t in s.when)
    )
