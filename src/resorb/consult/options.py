"""Options as a ladder: what can be done for a kind, from watching to surgery, the cause first; with its trials."""

from __future__ import annotations

from ..evidence.cards import Kind, OptionUse, Said
from ..terms.assessment import ClaimShown, Estimate, FollowUpShown, OptionShown, Sentence
from .facts import Facts
from .words import as_sources


def options(kind: Kind, estimates: tuple[Estimate, ...], done: frozenset[str], facts: Facts) -> tuple[OptionShown, ...]:
    """Every option of the kind that this case does not rule out, lowest rung first."""
    shown = []
    for use in kind.options:
        states = [facts.holds(t) for t in use.when]
        if False not in states:
            shown.append(_option(use, kind, estimates, done, None if None in states else True, facts))
    return tuple(sorted(shown, key=lambda o: (o.rung, o.id)))


def _option(
    use: OptionUse, kind: Kind, estimates: tuple[Estimate, ...], done: frozenset[str], applies: bool | None, facts: Facts
) -> OptionShown:
    card = facts.library.options[use.option]
    evidence = tuple(e for e in estimates if use.option in (e.course, e.against.course if e.against else None))
    return OptionShown(
        id=card.id, name=card.name, rung=card.rung, kind=kind.id, verdict=use.verdict.replace("_", " "), says=use.says,
        source=as_sources(use.source), applies=applies, evidence=evidence, harms=sentences(card.harms, facts),
        avoid=sentences((*card.avoid, *use.avoid), facts), already_done=card.id in done,
    )  # fmt: skip


def sentences(said: tuple[Said, ...], facts: Facts) -> tuple[Sentence, ...]:
    """The sentences that this case does not rule out."""
    return tuple(Sentence(s.says, as_sources(s.source)) for s in said if not any(facts.holds(t) is False for t in s.when))


def claims(kind: Kind) -> tuple[ClaimShown, ...]:
    """What people say about this kind, and what was shown."""
    return tuple(ClaimShown(c.id, kind.id, c.claim, c.verdict.replace("_", " "), c.says, as_sources(c.source)) for c in kind.claims)


def follow_up(kind: Kind, facts: Facts) -> tuple[FollowUpShown, ...]:
    """What to repeat and when."""
    return tuple(
        FollowUpShown(f.do, f.at or "", kind.id, as_sources(f.source))
        for f in kind.follow_up
        if not any(facts.holds(t) is False for t in f.when)
    )
