"""Red flags: what must not wait. Judged on every case from all cards, whatever the ranking."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..evidence.cards import RedFlag, Test
from ..evidence.library import Library
from ..terms.assessment import RedFlagFound
from .conditions import atoms
from .facts import Facts
from .words import as_sources, phrase

_URGENCY = ("emergency", "urgent", "soon")


@lru_cache(maxsize=8)
def _index(library: Library) -> dict[str, tuple[RedFlag, ...]]:
    """For each word or quantity, the red flags that mention it."""
    flags: dict[str, dict[int, RedFlag]] = {}
    for flag in (*(f for k in library.decks.kinds for f in k.red_flags), *(f for c in library.decks.causes for f in c.red_flags)):
        for test in flag.when:
            for atom in atoms(test):
                flags.setdefault(atom, {})[id(flag)] = flag
    return {atom: tuple(found.values()) for atom, found in flags.items()}


def _mentioned(facts: Facts) -> list[RedFlag]:
    """The red flags that mention anything in the case. Two cards may each word a flag of one name: both are looked at."""
    index = _index(facts.library)
    return list({id(flag): flag for fact in facts.ids() for flag in index.get(fact, ())}.values())


def nearly(facts: Facts, likely: frozenset[str]) -> Iterator[tuple[RedFlag, Test]]:
    """Red flags that one unknown test keeps from being raised, with that test: those of likely kinds, or of the very site."""
    own = {flag.id for kind in likely if kind in facts.library.kinds for flag in facts.library.kinds[kind].red_flags}
    for flag in _mentioned(facts):
        unknown = _only_unknown(flag, facts)
        if unknown is not None and (flag.id in own or any(t.site is not None for t in flag.when if t is not unknown)):
            yield flag, unknown


def _only_unknown(flag: RedFlag, facts: Facts) -> Test | None:
    """The test of a flag that is unknown while all others hold, of which there must be one."""
    unknown = None
    for test in flag.when:
        state = facts.holds(test)
        if state is False or (state is None and unknown is not None):
            return None
        if state is None:
            unknown = test
    return unknown if len(flag.when) > 1 else None


def red_flags(facts: Facts) -> tuple[RedFlagFound, ...]:
    """Every red flag whose tests all hold, the most urgent first."""
    raised = [flag for flag in _mentioned(facts) if all(facts.holds(t) for t in flag.when)]
    raised.sort(key=lambda flag: (_URGENCY.index(flag.urgency), flag.id, flag.says))
    return tuple(
        RedFlagFound(
            flag.id, flag.name, flag.urgency, tuple(phrase(t, facts.library, facts) for t in flag.when),
            flag.says, flag.do, as_sources(flag.source),
        )
        for flag in raised
    )  # fmt: skip
