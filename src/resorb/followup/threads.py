"""Each deposit of a series, followed from change to change: by its ids in the first scan, or, where it came later, by its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from resorb.terms.change import Change, DepositChange
from resorb.terms.measurement import Picture
from resorb.terms.trend import Thread, Trend

ONE_PLACE_MM = 5.0


def threads_of(changes: Sequence[Change]) -> tuple[Thread, ...]:
    """The deposits of the first scan in turn, then those that came later. All changes start from one first scan."""
    groups = _together(ids for change in changes for d in change.deposits if (ids := d.baseline))
    known = [Thread(tuple(sorted(group)), tuple(_rows_of(group, change) for change in changes)) for group in groups]
    return (*known, *_later(changes))


def _together(every: Iterable[tuple[int, ...]]) -> list[set[int]]:
    """Sets of ids that some change holds for one."""
    groups: list[set[int]] = []
    for ids in every:
        met = [group for group in groups if group & set(ids)]
        groups = [group for group in groups if group not in met] + [set(ids).union(*met)]
    return sorted(groups, key=min)


def _rows_of(group: set[int], change: Change) -> tuple[int, ...]:
    return tuple(n for n, d in enumerate(change.deposits, 1) if d.baseline and group & set(d.baseline))


def _later(changes: Sequence[Change]) -> list[Thread]:
    """What the first scan does not show, joined where it lies at one place of the first scan's frame."""
    found: list[tuple[DepositChange, list[tuple[int, ...]]]] = []
    for at, change in enumerate(changes):
        free = list(found)
        for n, d in enumerate(change.deposits, 1):
            if d.baseline is not None:
                continue
            near = min(free, key=lambda one: math.dist(one[0].centroid_mm, d.centroid_mm), default=None)
            if near is None or math.dist(near[0].centroid_mm, d.centroid_mm) > ONE_PLACE_MM:
                near = (d, [()] * len(changes))
                found.append(near)
            else:
                free.remove(near)
            near[1][at] = (n,)
    return [Thread(None, tuple(rows)) for _, rows in found]


def series_pictures(trend: Trend, pairs: Sequence[tuple[Change, tuple[Picture, ...]]]) -> tuple[Picture, ...]:
    """The pictures of every pair as those of one series. pairs : each of the trend's changes with its pictures, in any order.

    `mip-first` and `mip-last` with each thread marked; `scan-0-2` is the second thread in the first scan, `scan-1-2` in the one after.
    """
    named = [next(({p.name: p for p in pictures} for one, pictures in pairs if one is change), {}) for change in trend.changes]
    out = [_marked(p, f"mip-{which}", trend) for p, which in zip(_ends(named[-1]), ("first", "last"), strict=False)]
    for number, thread in enumerate(trend.threads, 1):
        before = next((p for rows, own in zip(thread.rows, named, strict=True) if (p := own.get(f"before-{rows[0] if rows else 0}"))), None)
        if before is not None:
            own = tuple(line for line in before.outlines if line[0] == "before")
            out.append(replace(before, name=f"scan-0-{number}", outlines=own))
        for at, (rows, of_pair) in enumerate(zip(thread.rows, named, strict=True), 1):
            if rows and (after := of_pair.get(f"after-{rows[0]}")):
                out.append(replace(after, name=f"scan-{at}-{number}"))
    return tuple(out)


def _ends(named: dict[str, Picture]) -> list[Picture]:
    return [named[name] for name in ("mip-before", "mip-after") if name in named]


def _marked(picture: Picture, name: str, trend: Trend) -> Picture:
    """A view of the last pair, its marks numbered as the threads are."""
    number = {row: n for n, thread in enumerate(trend.threads, 1) for row in thread.rows[-1]}
    marks = tuple((str(number[int(row)]), x, y) for row, x, y in picture.marks if int(row) in number)
    which = {"mip-first": "the first scan", "mip-last": "the last scan"}[name]
    return replace(picture, name=name, caption=f"{which}: {picture.caption.rpartition(': ')[2]}", marks=marks)
