"""Tests prepared for speed: each test of a card becomes one small function of the facts, made once per library.

A prepared test answers true, false or unknown (none). What nobody said is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..evidence.cards import Test
from ..evidence.library import Library
from ..evidence.quantities import parse

WORD_GROUPS = ("site", "finding", "condition", "diagnosis", "medicine", "exposure", "symptom", "modality", "stage", "sex")


class Known(Protocol):
    """What a test looks at: words present and absent (with all they imply), sites given, values and levels."""

    present: set[str]
    absent: set[str]
    sites: set[str]
    values: dict[str, float]
    levels: dict[str, frozenset[str]]


Prepared = Callable[[Known], bool | None]


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


class Ready(NamedTuple):
    """A test ready to be asked: the test itself (kept alive, for its identity is the key), its function, and what it mentions."""

    test: Test
    holds: Prepared
    atoms: tuple[str, ...]


@lru_cache(maxsize=8)
def prepared(library: Library) -> dict[int, Ready]:
    """The ready tests of a library, by the identity of the test; filled as they are first asked."""
    del library
    return {}


def ready(test: Test, library: Library) -> Ready:
    """The test as a function, with what it mentions; made once."""
    known = prepared(library)
    found = known.get(id(test))
    if found is None:
        found = known[id(test)] = Ready(test, prepare(test, library), tuple(atoms(test)))
    return found


def prepare(test: Test, library: Library) -> Prepared:
    """One test as a function."""
    if test.all is not None:
        return _every([prepare(t, library) for t in test.all])
    if test.any is not None:
        return _some([prepare(t, library) for t in test.any])
    if test.not_ is not None:
        return _opposite(prepare(test.not_, library))
    quantity = test.lab or test.measure
    if quantity is not None:
        return _level(test, quantity) if test.is_ is not None else _limits(test, quantity, library)
    group, words = subject(test)
    return _site(frozenset(words), library) if group == "site" else _words(frozenset(words))


def _every(parts: list[Prepared]) -> Prepared:
    def holds(known: Known) -> bool | None:
        unknown = False
        for part in parts:
            state = part(known)
            if state is False:
                return False
            unknown = unknown or state is None
        return None if unknown else True

    return holds


def _some(parts: list[Prepared]) -> Prepared:
    def holds(known: Known) -> bool | None:
        unknown = False
        for part in parts:
            state = part(known)
            if state:
                return True
            unknown = unknown or state is None
        return None if unknown else False

    return holds


def _opposite(part: Prepared) -> Prepared:
    def holds(known: Known) -> bool | None:
        state = part(known)
        return None if state is None else not state

    return holds


def _words(words: frozenset[str]) -> Prepared:
    def holds(known: Known) -> bool | None:
        if not words.isdisjoint(known.present):
            return True
        return False if words <= known.absent else None

    return holds


def _site(words: frozenset[str], library: Library) -> Prepared:
    """False when other sites are given, unless a given site is wider than the one asked for."""
    wanted = frozenset().union(*(library.around[w] for w in words))

    def holds(known: Known) -> bool | None:
        if not words.isdisjoint(known.present):
            return True
        if not known.sites:
            return False if words <= known.absent else None
        return False if wanted.isdisjoint(known.sites) else None

    return holds


def _level(test: Test, quantity: str) -> Prepared:
    wanted = frozenset((test.is_,) if isinstance(test.is_, str) else test.is_ or ())
    judged = frozenset(("low", "normal", "high"))

    def holds(known: Known) -> bool | None:
        levels = known.levels.get(quantity)
        if levels is None:
            return None
        if not levels.isdisjoint(wanted):
            return True
        return None if quantity in known.values and levels.isdisjoint(judged) else False

    return holds


def _limits(test: Test, quantity: str, library: Library) -> Prepared:
    card = library.quantities[quantity]
    over, under, at_least, at_most = (
        None if t is None else parse(t, card)[0] for t in (test.over, test.under, test.at_least, test.at_most)
    )

    def holds(known: Known) -> bool | None:
        value = known.values.get(quantity)
        if value is None:
            return None
        return not (
            (over is not None and value <= over)
            or (under is not None and value >= under)
            or (at_least is not None and value < at_least)
            or (at_most is not None and value > at_most)
        )

    return holds
