"""How well scans are laid on each other, and whether a failure is ever silent, as Markdown: `python -m bench.align [--pairs N]`.

Accuracy is on phantom pairs of exact truth: bodies moved up to 30 mm and turned up to 10 degrees, on another grid with other noise, their
deposits changed. Time and memory are those of a whole comparison of two scans of 512 x 512 x 300.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.phantom_pairs import Pair, Plan, random_pair
from resorb.ct.scan import Scan
from resorb.followup.aligning import Aligned, align

from . import compare_speed

KINDS = {
    "moved and turned": Plan(),
    "bent and breathing, up to 4 mm": Plan(bent_mm=4.0),
    "40 % of the height in both": Plan(bent_mm=2.0, overlap=0.4, deposits=12),
    "slices 1 mm, then 5 mm": Plan(bent_mm=2.0, slice_mm=(1.0, 1.0), followup_slice_mm=(5.0, 5.0)),
    "noise 30 HU": Plan(bent_mm=2.0, noise_hu=(30.0, 30.0)),
    "a third of the organs elsewhere": Plan(bent_mm=2.0, altered=0.33),
}
BIG = Plan(scale=2.35, height_mm=300.0, pixel_mm=(0.6885, 0.6885), slice_mm=(1.0, 1.0), bent_mm=4.0, deposits=20, square=True)


@dataclass(frozen=True)
class Tried:
    """Errors and their estimates at the deposits of one kind of pair, and how many alignments failed. [mm]"""

    errors: NDArray[Any]
    estimates: NDArray[Any]
    failed: int
    pairs: int

    def row(self, name: str) -> str:
        """One line of the table."""
        if not len(self.errors):
            return f"| {name} | - | - | - | - | {self.failed} of {self.pairs} |"
        middle, most = np.percentile(self.errors, (50, 95))
        held = 100 * np.mean(self.errors <= self.estimates)
        stated = f"{np.median(self.estimates):.2f} mm | {held:.0f} %"
        return f"| {name} | {middle:.2f} mm | {most:.2f} mm | {stated} | {self.failed} of {self.pairs} |"


def tried(plan: Plan, pairs: int, seed: int) -> Tried:
    """As many pairs as asked for, aligned."""
    errors: list[float] = []
    estimates: list[float] = []
    failed = 0
    for n in range(pairs):
        pair = random_pair(np.random.default_rng((seed, n)), plan)
        aligned = align(pair.baseline, pair.followup)
        failed += not aligned.ok
        if aligned.ok:
            off, stated = errors_of(pair, aligned)
            errors += list(off)
            estimates += list(stated)
    return Tried(np.array(errors), np.array(estimates), failed, pairs)


def errors_of(pair: Pair, aligned: Aligned) -> tuple[NDArray[Any], NDArray[Any]]:
    """How far off each deposit that both scans show was laid, and the error stated there. [mm]"""
    places = np.array([d.centre_mm for d in pair.deposits if d.in_baseline and d.in_followup]).reshape(-1, 3)
    return np.linalg.norm(aligned.to_followup(places) - pair.to_followup(places), axis=1), aligned.error_mm(places)


def never(pairs: int, seed: int) -> Iterator[tuple[str, int, int]]:
    """Pairs that must not be aligned: what they are, how many were refused, and how many there were."""
    made = [random_pair(np.random.default_rng((seed, n)), Plan()) for n in range(pairs)]
    spoil: dict[str, Callable[[int], Scan]] = {
        "another person": lambda n: made[(n + 1) % pairs].followup,
        "mirrored left to right": lambda n: _with(made[n].followup, made[n].followup.hu[:, :, ::-1]),
        "head to foot": lambda n: _with(made[n].followup, made[n].followup.hu[::-1]),
        "noise without a body": lambda n: _with(made[n].followup, np.random.default_rng(n).normal(40, 20, made[n].followup.hu.shape)),
        "air": lambda n: _with(made[n].followup, np.full(made[n].followup.hu.shape, -1000)),
    }
    for name, followup in spoil.items():
        yield name, sum(not align(made[n].baseline, followup(n)).ok for n in range(pairs)), pairs
    plain = [random_pair(np.random.default_rng((seed, n)), Plan(trunk=False)) for n in range(pairs)]
    yield "60 mm of featureless tissue", sum(not align(p.baseline, p.followup).ok for p in plain), pairs


def _with(scan: Scan, hu: NDArray[Any]) -> Scan:
    return replace(scan, hu=np.ascontiguousarray(hu, np.int16))


def tables(pairs: int, big: bool = True) -> list[str]:
    """Accuracy, failures that were noticed, and speed."""
    lines = [
        f"| pairs of phantoms ({pairs} each) | median error at deposits | 95th percentile | stated (95 %) | stated holds | refused |",
        "|---|---|---|---|---|---|",
    ]
    lines += [tried(plan, pairs, 10 + n).row(name) for n, (name, plan) in enumerate(KINDS.items())]
    lines += ["", "Aimed at: median below 0.5 mm, 95th percentile below 1.5 mm.", "", "| must be refused | refused |", "|---|---|"]
    lines += [f"| {name} | {refused} of {count} |" for name, refused, count in never(max(2, pairs // 2), 30)]
    return [*lines, "", *speed()] if big else lines


def speed() -> list[str]:
    """A large pair: how well it is laid, and what comparing it takes."""
    pair = random_pair(np.random.default_rng(5), BIG)
    off, _ = errors_of(pair, align(pair.baseline, pair.followup))
    return [
        *compare_speed.lines(pair),
        "",
        f"Error at the deposits of that pair: {np.median(off):.2f} mm (median), {off.max():.2f} mm (largest).",
    ]


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--small", action="store_true", help="leave out the large pair")
    options = parser.parse_args()
    print("### Alignment of two scans\n")
    print("\n".join(tables(options.pairs, not options.small)))


if __name__ == "__main__":
    main()
