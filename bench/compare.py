# ruff: noqa: E501  (table rows stay in one line)
"""Verdicts of `resorb compare` on pairs of exact truth, as Markdown: `python -m bench.compare [--pairs N]`.

Each pair is drawn anew at the follow-up: moved up to 30 mm and 10 degrees, on another grid, with another blur and noise, and on a scanner whose
brightness scatters from scan to scan as the card on one scanner says. In the first tables the true alignment is handed over, 0.25 mm off along each
axis, so that judging is measured by itself; on trunks resorb aligns.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from resorb.ct.measuring import Settings
from resorb.ct.phantom import HU_PER_MG_CM3, Ellipsoid
from resorb.ct.phantom_body import Array
from resorb.ct.phantom_pairs import Pair, Plan, TrueDeposit, random_pair
from resorb.evidence import library
from resorb.followup import Compared, Stated, compared
from resorb.followup.aligning import handed_over
from resorb.followup.pairing import Side
from resorb.terms.change import Change, DepositChange, Difference

OWN = Settings(calibration=1 / HU_PER_MG_CM3)
NEAR_MM = 2.0
CHANGED = {"resolved", "shrank", "grew", "new", "split", "merged"}
GAIN_SD = next(card.relative_sd for card in library().decks.unlike if card.what == "same")
SMALL = Plan(trunk=False, deposits=5, gain_sd=GAIN_SD)


@dataclass(frozen=True)
class Judged:
    """One verdict with the true deposits it is about; none where the verdict is about nothing that is there."""

    true: tuple[TrueDeposit, ...]
    said: DepositChange | None

    @property
    def before(self) -> float:
        return sum(t.mass_mg for t in self.true)

    @property
    def after(self) -> float:
        return sum(t.mass_followup_mg for t in self.true)

    @property
    def fate(self) -> str:
        fates = {t.fate for t in self.true}
        return fates.pop() if len(fates) == 1 else "mixed"


@dataclass(frozen=True)
class Patient:
    """One pair: the truth, the answer, and each verdict beside its truth."""

    pair: Pair
    change: Change
    judged: tuple[Judged, ...]


def patients(plan: Plan, count: int, seed: int, known: bool = True) -> Iterator[Patient]:
    """Pairs drawn by plan, compared and sorted out."""
    for n in range(count):
        pair = random_pair(np.random.default_rng([seed, n]), plan)
        off = np.random.default_rng([seed, n, 1]).normal(0, 0.25, 3)
        stated = Stated(bmi=25.0)
        if known:
            forward, backward = (lambda x, p=pair, o=off: p.to_followup(x) + o), (lambda x, p=pair, o=off: p.to_baseline(x - o))
            stated = replace(stated, aligned=handed_over((pair.baseline, pair.followup), forward, backward, 0.7))
        made = compared((pair.baseline, pair.followup), settings=OWN, stated=stated)
        yield Patient(pair, made.change, tuple(sort_out(pair, made)))


def sort_out(pair: Pair, made: Compared) -> Iterator[Judged]:
    """Each verdict with the true deposits that lie in what it is about, and each true deposit that none is about."""
    said = made.change.deposits
    whose: dict[int, list[TrueDeposit]] = {n: [] for n in range(len(said))}
    extents = [(_voxels(made.before, one.baseline), _voxels(made.after, one.followup)) for one in said]
    missed = []
    for true in pair.deposits:
        distance = [min(_apart(true.baseline, extent[0]), _apart(true.followup, extent[1])) for extent in extents]
        if distance and min(distance) < NEAR_MM:
            whose[int(np.argmin(distance))].append(true)
        else:
            missed.append(true)
    yield from (Judged(tuple(whose[n]), one) for n, one in enumerate(said))
    yield from (Judged((true,), None) for true in missed)


def _voxels(side: Side, ids: tuple[int, ...] | None) -> Array:
    return np.concatenate([side.places(side.findings.candidates[n - 1]) for n in ids or ()] or [np.zeros((0, 3))])


def _apart(pieces: tuple[Ellipsoid, ...], voxels: Array) -> float:
    """From the nearest centre of a piece to the nearest voxel found. [mm]"""
    return min((float(np.linalg.norm(voxels - e.centre, axis=1).min()) for e in pieces if len(voxels)), default=np.inf)


def share(hits: list[bool]) -> str:
    """A percentage with what it was counted on."""
    return f"{100 * np.mean(hits):.1f} % of {len(hits)}" if hits else "none"


def unchanged_lines(count: int) -> list[str]:
    """False alarms where nothing changed."""
    every = list(patients(replace(SMALL, changed=False), 4 * count, 301))
    deposits = [j for p in every for j in p.judged if j.said]
    false = [j.said.verdict in CHANGED for j in deposits]
    tell = [j.said.verdict == "unchanged" for j in deposits if j.before >= 3]
    return [
        f"| unchanged deposits called changed | at most 2 % | {share(false)} |",
        f"| patients without change with any deposit or the total called changed | at most 5 % | {share([any(j.said.verdict in CHANGED for j in p.judged if j.said) or p.change.total.verdict in CHANGED for p in every])} |",
        f"| unchanged deposits from 3 mg called unchanged | | {share(tell)} |",
        f"| intervals of the change of mass hold the truth | 95 % | {share(_held(deposits))} |",
        f"| the same for totals | 95 % | {share([_holds(p.change.total.mass_mg, 0.0) for p in every if isinstance(p.change.total.mass_mg, Difference)])} |",
    ]


def _held(judged: list[Judged]) -> list[bool]:
    return [_holds(j.said.mass_mg, j.after - j.before) for j in judged if j.true and j.said and isinstance(j.said.mass_mg, Difference)]


def _holds(mass: object, truth: float) -> bool:
    return isinstance(mass, Difference) and mass.low <= truth <= mass.high


def factor_lines(count: int) -> list[str]:
    """Power: half of the deposits changed by one factor."""
    lines = []
    for factor, low, high, target, times in ((0.8, 10, 40, "95 %", 2), (0.7, 3, 10, "80 %", 1), (1.3, 3, 10, "", 1), (0.5, 1, 3, "", 1)):
        every = list(patients(replace(SMALL, factor=factor, close=0.1, mass_mg=(low, high)), times * count, 400 + int(factor * 100)))
        one = [j for p in every for j in p.judged if len(j.true) == 1 and math.isclose(j.true[0].factor, factor) and low <= j.before < high]
        want = "shrank" if factor < 1 else "grew"
        lines.append(f"| mass x {factor:g}, {low} to {high} mg: called {want} | {target} | {share([bool(j.said) and j.said.verdict == want for j in one])} |")
        still = [j for p in every for j in p.judged if len(j.true) == 1 and j.true[0].factor == 1 and j.said]
        lines.append(f"| unchanged neighbours of these called changed | at most 2 % | {share([j.said.verdict in CHANGED for j in still])} |")
        lines.append(f"| intervals hold the truth | 95 % | {share(_held([j for p in every for j in p.judged]))} |")
    return lines


def fate_lines(count: int) -> list[str]:
    """Deposits that go, come, split and merge among others."""
    plan = replace(SMALL, deposits=6)
    every = [*patients(plan, count, 302), *patients(replace(plan, mass_mg=(3, 30)), 2 * count, 303)]
    judged = [j for p in every for j in p.judged]
    rows = []
    for fate, want, target in (("gone", "resolved", "99 % from 3 mg"), ("new", "new", "99 % from 3 mg"), ("split", "split", "all from 2 mg"), ("merged", "merged", "all from 2 mg")):
        these = [j for j in judged if len(j.true) == 1 and j.fate == fate and max(j.before, j.after) >= 3]
        rows.append(f"| {fate}: called {want} | {target} | {share([bool(j.said) and j.said.verdict == want for j in these])} |")
    kept = [j for j in judged if j.true and j.said and j.fate == "kept" and min(t.mass_mg for t in j.true) >= 2 and min(t.mass_followup_mg for t in j.true) >= 2]
    rows.append(f"| kept deposits from 2 mg matched with themselves | 99 % | {share([bool(j.said.baseline and j.said.followup) for j in kept])} |")
    rows.append(f"| verdicts about nothing that is there | | {share([not j.true for j in judged if j.said])} |")
    rows.append(f"| intervals hold the truth | 95 % | {share(_held(judged))} |")
    wrong = [j for j in judged if j.true and j.said and ((j.said.verdict in ("shrank", "resolved") and j.after > j.before) or (j.said.verdict in ("grew", "new") and j.after < j.before))]
    rows.append(f"| called changed the wrong way | none | {len(wrong)} |")
    return rows


def whole_lines(count: int) -> list[str]:
    """Everything at once, alignment included, on trunks with a skeleton."""
    still = list(patients(Plan(changed=False, gain_sd=GAIN_SD), count, 304, known=False))
    course = list(patients(Plan(gain_sd=GAIN_SD), count, 305, known=False))
    deposits = [j for p in still for j in p.judged if j.said]
    judged = [j for p in course for j in p.judged if j.true and j.said and j.said.verdict != "not covered"]
    gone = [j for j in judged if len(j.true) == 1 and j.fate == "gone" and j.before >= 3]
    less = [j for j in judged if len(j.true) == 1 and j.fate == "kept" and j.true[0].factor <= 0.8 and j.before >= 10]
    return [
        f"| trunks, alignment included: pairs laid on each other | | {share([not p.change.alignment.failed for p in (*still, *course)])} |",
        f"| trunks: unchanged deposits called changed | at most 2 % | {share([j.said.verdict in CHANGED for j in deposits])} |",
        f"| trunks: patients without change called changed | at most 5 % | {share([any(j.said.verdict in CHANGED for j in p.judged if j.said) for p in still])} |",
        f"| trunks: gone, from 3 mg, called resolved | 99 % | {share([j.said.verdict == 'resolved' for j in gone])} |",
        f"| trunks: down by 20 % or more, from 10 mg, called shrank | 95 % | {share([j.said.verdict == 'shrank' for j in less])} |",
        f"| trunks: intervals hold the truth | 95 % | {share(_held([*deposits, *judged]))} |",
    ]


def rule_lines(count: int) -> list[str]:
    """resorb beside the published rules for totals, on the same pairs of one scanner; every deposit down by 10 %."""
    plan = replace(SMALL, same_scanner=True, close=0.1)
    plans = (replace(plan, changed=False), replace(plan, factor=0.9, of_all=1.0))
    still, less = ([p.change for p in patients(one, 2 * count, 306 + n)] for n, one in enumerate(plans))
    rows = ["| verdict on the total | unchanged called changed | all down by 10 %: called changed | the same where each calls 5 % of the unchanged |", "|---|---|---|---|"]
    for name, strength in _strengths([*still, *less]).items():
        quiet, seen = (np.array([strength(c) for c in changes]) for changes in (still, less))
        level = float(np.quantile(quiet, 0.95))
        rows.append(f"| {name} | {100 * np.mean(quiet > 1):.0f} % | {100 * np.mean(seen > 1):.0f} % | {100 * np.mean(seen > level):.0f} % |")
    return [*rows, f"| pairs | {len(still)} | {len(less)} | |"]


def scatter_lines(count: int) -> list[str]:
    """How far one weighing of an unchanged deposit scatters when the person lies anew: slices of 3 mm, noise of 20 HU, a blur of 1 mm."""
    plan = replace(SMALL, changed=False, close=0.0, same_scanner=True, slice_mm=(3, 3), noise_hu=(20, 20), blur_mm=(1, 1), gain_sd=0.0)
    rows = ["| unchanged, scanned again: one scan scatters by | mass | aimed at | Agatston score | aimed at |", "|---|---|---|---|---|"]
    for n, (low, high, mass, score) in enumerate(((1, 3, 20, 58), (3, 10, 9, 15), (10, 30, 3, 13), (30, 100, 1, 5))):
        said = [j.said for p in patients(replace(plan, mass_mg=(low, high)), count, 310 + n) for j in p.judged if j.said and len(j.true) == 1]
        rows.append(f"| {low} to {high} mg | {_scatter([d.mass_mg for d in said])} | {mass} % | {_scatter([d.agatston for d in said])} | {score} % |")
    return rows


def _scatter(changes: list[object]) -> str:
    """Standard deviation of one of two measurements, as a share of their mean, from how they differ."""
    seen = [c for c in changes if isinstance(c, Difference) and c.before + c.after > 0]
    return f"{100 * np.sqrt(np.mean([2 * (c.change / (c.before + c.after)) ** 2 for c in seen])):.1f} % of {len(seen)}"


def _strengths(changes: list[Change]) -> dict[str, Callable[[Change], float]]:
    """For each way to judge a total, how far a change goes beyond its limit; 1 is the limit."""

    def by_rule(name: str) -> Callable[[Change], float]:
        def strength(change: Change) -> float:
            rule = next((r for r in change.total.rules if r.name == name), None)
            return abs(rule.change) / max(rule.limit, 1e-9) if rule else 0.0

        return strength

    def resorb(change: Change) -> float:
        mass = change.total.mass_mg
        return abs(mass.change) / mass.detectable if isinstance(mass, Difference) else 0.0

    names = sorted({rule.name for change in changes for rule in change.total.rules})
    return {"resorb, mass": resorb} | {name: by_rule(name) for name in names}


def tables(count: int) -> list[str]:
    """Verdicts with their targets, then resorb beside the published rules."""
    rows = [line for part in (unchanged_lines, factor_lines, fate_lines) for line in part(count)]
    first = ["| what | target | reached |", "|---|---|---|", *rows, *whole_lines(max(3, count // 8))]
    return [*first, "", *rule_lines(count), "", *scatter_lines(max(5, count // 3))]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    print("\n".join(tables(parser.parse_args().pairs)))


if __name__ == "__main__":
    main()
