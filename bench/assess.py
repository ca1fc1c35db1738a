"""How fast cases are answered, whole process and in the library, and how that grows with the number of cards."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from resorb.consult import assess
from resorb.consult.conditions import WORD_GROUPS
from resorb.evidence import Library, library, read_case_mapping
from resorb.evidence.library import Decks
from resorb.terms.case import Case


@dataclass(frozen=True)
class Line:
    """One measured line."""

    what: str
    figure: str


def median_seconds(run: Callable[[], object], times: int, clock: Callable[[], float] = time.process_time) -> float:
    """The median over several runs, after one that is not counted; of processor time, which other work on the machine disturbs least."""
    run()
    taken = []
    for _ in range(times):
        start = clock()
        run()
        taken.append(clock() - start)
    return statistics.median(taken)


def whole_process(name: str, clock: Callable[[], float]) -> float:
    """`resorb assess` from start to exit."""
    from resorb import examples

    command = [sys.executable, "-m", "resorb", "assess", str(examples.path(name))]
    return median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), 9, clock)


def of_children() -> float:
    """Processor time of the processes that were started and have ended. [s]"""
    ended = os.times()
    return ended.children_user + ended.children_system


def in_the_library(cases: list[Case], shelf: Library) -> float:
    """Assessments a second on one core, over every worked case of the cards."""
    return len(cases) / median_seconds(lambda: [assess(c, shelf) for c in cases], 5)


def grown(shelf: Library, times: int) -> Library:
    """The same library with every kind copied under other ids and other words: more cards, the same cases."""
    decks = msgspec.json.decode(msgspec.json.encode(shelf.decks))
    kinds, words = list(decks["kinds"]), list(decks["words"])
    for n in range(1, times):
        decks["kinds"] += [{**_renamed(kind, n), "id": f"{kind['id']}_x{n}"} for kind in kinds]
        decks["words"] += [{"id": f"{word['id']}_x{n}", "group": word["group"], "name": f"{word['name']} {n}"} for word in words]
    return Library(msgspec.convert(decks, Decks), f"{times} times")


def _renamed(part: Any, n: int, within: bool = False) -> Any:
    """The same part of a card, with every word a test asks for renamed."""
    if isinstance(part, dict):
        return {key: _renamed(value, n, key in WORD_GROUPS) for key, value in part.items()}
    if isinstance(part, list):
        return [_renamed(value, n, within) for value in part]
    return f"{part}_x{n}" if within and isinstance(part, str) else part


def lines() -> list[Line]:
    """Every figure of this benchmark."""
    shelf = library()
    cases = [read_case_mapping(case.given, shelf) for kind in shelf.decks.kinds for case in kind.cases]
    once, four = in_the_library(cases, shelf), in_the_library(cases, grown(shelf, 4))
    busy, waited = (whole_process("shoulder-infraspinatus-lavage", clock) for clock in (of_children, time.perf_counter))
    return [
        Line("`resorb assess`, whole process, median of 9", f"{busy:.2f} s of processor time, {waited:.2f} s by the clock"),
        Line(f"assessments a second on one core ({len(cases)} worked cases, {len(shelf.kinds)} kinds)", f"{once:.0f}"),
        Line("time per case with four times the cards, against once", f"{once / four:.2f} times"),
    ]
