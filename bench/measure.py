# ruff: noqa: E501  (table rows stay in one line)
"""Accuracy and speed of `resorb measure`, as Markdown: `python -m bench.measure [--scans N] [--quick]`.

Accuracy is on phantoms of exact truth: ellipsoids of 0.6 to 4 mm radius and 150 to 800 mg/cm3, blurred 0.8 to 1.2 mm (standard
deviation), noise 10 to 30 HU (half of it grained), spacing 0.4 to 0.8 x 0.5 to 3 mm, anywhere. Speed is given as ratios within this run.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench import measure_speed
from resorb import ct
from resorb.ct.phantom import HU_PER_MG_CM3, Ellipsoid, make, random_deposit, random_scanner
from resorb.terms.measurement import DepositMeasure, Measure, Measurement

OWN = ct.Settings(calibration=1 / HU_PER_MG_CM3)
TRUE = {
    "mass_mg": lambda d: d.mass_mg,
    "mass_threshold_mg": lambda d: d.mass_mg,
    "volume_mm3": lambda d: d.volume_mm3,
    "volume_threshold_mm3": lambda d: d.volume_mm3,
    "diameter_mm": lambda d: 2 * max(d.semi_axes),
    "density_mg_cm3": lambda d: d.density,
}
NEAR_MM = 3.0


@dataclass(frozen=True)
class Single:
    """One deposit in one scan, and what was measured of it (none if it was not found)."""

    true: Ellipsoid
    measured: DepositMeasure | None


@dataclass(frozen=True)
class Singles:
    """Many scans of one deposit each."""

    all: tuple[Single, ...]

    def pairs(self, name: str, least_mg: float = 0.0) -> NDArray[np.float64]:
        """Rows of truth, value, low, high for deposits of at least this mass where the measure is given."""
        rows = []
        for s in self.all:
            one = getattr(s.measured, name, None)
            if isinstance(one, Measure) and s.true.mass_mg >= least_mg:
                rows.append((TRUE[name](s.true), one.value, one.low, one.high))
        return np.array(rows, float).reshape(-1, 4)

    def found(self, least_mg: float) -> float:
        """Share of deposits of at least this mass that were found."""
        return float(np.mean([s.measured is not None for s in self.all if s.true.mass_mg >= least_mg]))

    def errors(self, name: str, least_mg: float = 0.0) -> NDArray[np.float64]:
        """Relative errors."""
        pairs = self.pairs(name, least_mg)
        return pairs[:, 1] / pairs[:, 0] - 1

    def bias(self, name: str, least_mg: float) -> float:
        """Mean relative error."""
        return float(self.errors(name, least_mg).mean())

    def rmse(self, name: str) -> float:
        """Root mean square error, in the measure's unit."""
        pairs = self.pairs(name)
        return float(np.sqrt(np.mean((pairs[:, 1] - pairs[:, 0]) ** 2)))

    def coverage(self, name: str, least_mg: float = 0.0) -> float:
        """Share of intervals that hold the truth."""
        pairs = self.pairs(name, least_mg)
        return float(np.mean((pairs[:, 2] <= pairs[:, 0]) & (pairs[:, 0] <= pairs[:, 3])))


def single_deposits(scans: int, seed: int, radius: tuple[float, float] = (0.6, 4.0), blur: tuple[float, float] = (0.8, 1.2)) -> Singles:
    """One deposit a scan, anywhere near the middle, in any scanner."""
    random, out = np.random.default_rng(seed), []
    for k in range(scans):
        scanner, deposit = random_scanner(random, blur), random_deposit(random, random.uniform(-8, 8, 3), radius)
        measured = ct.measure(make(scanner, [deposit], seed * 10_000 + k), settings=OWN)
        out.append(Single(deposit, _nearest(measured, deposit)))
    return Singles(tuple(out))


def _nearest(measured: Measurement, deposit: Ellipsoid) -> DepositMeasure | None:
    """The heaviest deposit measured within 3 mm of the true centre."""
    near = [d for d in measured.deposits if np.linalg.norm(np.subtract(d.centroid_mm, deposit.centre)) < NEAR_MM]
    return max(near, key=lambda d: d.mass_mg.value if isinstance(d.mass_mg, Measure) else 0.0, default=None)


def calcium_free(scans: int, seed: int) -> int:
    """How many of these scans without calcium show a deposit."""
    random = np.random.default_rng(seed)
    return sum(bool(ct.find(make(random_scanner(random), [], seed * 10_000 + k)).candidates) for k in range(scans))


def crowded(scans: int, seed: int, deposits: int = 8) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and measured total mass of scans with several deposits, some of them neighbours. [mg]"""
    random, true, measured = np.random.default_rng(seed), [], []
    for k in range(scans):
        scanner = random_scanner(random)
        centres = random.uniform(-18, 18, (deposits, 3))
        placed = [random_deposit(random, c, (0.8, 3.0)) for c in _apart(centres, 6.5)]
        total = ct.measure(make(scanner, placed, seed * 10_000 + k), settings=OWN).total.mass_mg
        true.append(sum(d.mass_mg for d in placed))
        measured.append(total.value if isinstance(total, Measure) else np.nan)
    return np.array(true), np.array(measured)


def _apart(centres: NDArray[np.float64], least_mm: float) -> list[NDArray[np.float64]]:
    kept: list[NDArray[np.float64]] = []
    for centre in centres:
        if all(np.linalg.norm(centre - other) >= least_mm for other in kept):
            kept.append(centre)
    return kept


def accuracy_tables(scans: int) -> list[str]:
    """What section 4 of the accuracy targets asks for."""
    singles, large = single_deposits(scans, 1), single_deposits(max(20, scans // 4), 2, (3.0, 4.0))
    sharper = single_deposits(max(20, scans // 4), 3, blur=(0.34, 0.51))
    empty = max(40, scans // 2)
    false = calcium_free(empty, 4)
    true, measured = crowded(max(10, scans // 10), 5)
    lines = [
        "| what | target | reached |",
        "|---|---|---|",
        f"| deposits of 1 mg and more found ({scans} scans) | 99 % | {100 * singles.found(1.0):.1f} % |",
        f"| deposits of 5 mg and more found | 100 % | {100 * singles.found(5.0):.1f} % |",
        f"| scans without calcium that show a deposit | below 1 in 20 | {false} in {empty} |",
        f"| mass of single deposits, RMSE against thresholded mass | at most 0.5 | {singles.rmse('mass_mg') / singles.rmse('mass_threshold_mg'):.2f} ({singles.rmse('mass_mg'):.2f} / {singles.rmse('mass_threshold_mg'):.2f} mg) |",
        f"| bias of mass from 2 mg up | within 3 % | {100 * singles.bias('mass_mg', 2.0):+.1f} % |",
        f"| total mass of several deposits | within 3 % | {100 * (measured.sum() / true.sum() - 1):+.1f} %; single scans {100 * np.abs(measured / true - 1).max():.1f} % at most |",
        f"| 95 % intervals of mass hold the truth | 92-98 % | {100 * singles.coverage('mass_mg'):.1f} % |",
        f"| half-maximum volume, radius 3 mm and more: within 10 % | all | {100 * np.mean(np.abs(large.errors('volume_mm3')) < 0.1):.1f} %, RMS {100 * np.sqrt(np.mean(large.errors('volume_mm3') ** 2)):.1f} % |",
        "",
        "| measure | given for | RMS error | mean error | interval holds truth |",
        "|---|---|---|---|---|",
    ]
    for name in TRUE:
        errors = singles.errors(name, 2.0)
        cover = "-" if "threshold" in name else f"{100 * singles.coverage(name):.1f} %"
        lines.append(
            f"| {name}, from 2 mg | {len(errors)} | {100 * np.sqrt(np.mean(errors**2)):.1f} % | {100 * errors.mean():+.1f} % | {cover} |"
        )
    errors = sharper.errors("mass_mg", 2.0)
    lines.append(
        f"| mass_mg, blur 0.8-1.2 mm full width | {len(errors)} | {100 * np.sqrt(np.mean(errors**2)):.1f} % | {100 * errors.mean():+.1f} % | {100 * sharper.coverage('mass_mg'):.1f} % |"
    )
    return lines


def main() -> None:
    """Print both sets of tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=600)
    parser.add_argument("--quick", action="store_true", help="a tenth of the scans, small volumes")
    options = parser.parse_args()
    print("### Accuracy on phantoms\n")
    print("\n".join(accuracy_tables(options.scans // 10 if options.quick else options.scans)))
    print("\n### Speed, ratios within this run\n")
    print("\n".join(measure_speed.tables(options.quick)))


if __name__ == "__main__":
    main()
