"""The verdict on each place: what changed, by how much, and the smallest change that would have been seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from resorb.ct.gauge import Rules
from resorb.followup.examining import Examined
from resorb.followup.judging import Call, detectable, left
from resorb.followup.weighing import Weighed
from resorb.terms.assessment import Refusal
from resorb.terms.change import DepositChange, Differed, Difference
from resorb.terms.measurement import Measured, Point
from resorb.terms.verdict import Verdict

Z_95 = 1.96
MOST_LEFT = 0.5
MEASURES = ("mass_mg", "volume_mm3", "agatston")


@dataclass(frozen=True)
class Bench:
    """What every verdict of a pair rests on. same : one scan against itself. refused : why nothing can be told, or no count."""

    rules: tuple[Rules, Rules]
    same: bool = False
    no_change: str = ""
    no_counts: str = ""

    @property
    def factor(self) -> float | None:
        """Mg for each HU mm3, where it is known for both scans."""
        known = [r.calibration.mg_cm3_per_hu for r in self.rules]
        return None if None in known else known[0] / 1000  # type: ignore[operator]

    @property
    def scale_sd(self) -> float:
        """How well that factor is known, relative."""
        return max(r.calibration.relative_sd for r in self.rules)


def change_of(examined: Examined, call: Call | None, bench: Bench) -> DepositChange:
    """One deposit and what became of it."""
    place = examined.place
    verdict, why = _verdict(examined, call, bench)
    z = call.z if call else math.nan
    reason = bench.no_change or examined.unseen
    mass: Differed = Refusal("mass_mg", reason)
    volume: Differed = Refusal("volume_mm3", reason)
    score: Differed = Refusal("agatston", reason)
    if not reason and examined.weighed and examined.counts:
        mass = mass_difference(examined.weighed, z, bench)
        volume = _difference("volume_mm3", examined.counts[0].volume_mm3, examined.counts[1].volume_mm3, z, bench.same)
        scores = (examined.counts[0].agatston, examined.counts[1].agatston)
        score = Refusal("agatston", bench.no_counts) if bench.no_counts else _difference("agatston", *scores, z, bench.same)
    return DepositChange(
        _ids(place.group.baseline),
        _ids(place.group.followup),
        verdict,
        why,
        place.site,
        _point(place.centre),
        _point(place.centre_followup),
        mass,
        volume,
        score,
    )


def _ids(numbers: tuple[int, ...]) -> tuple[int, ...] | None:
    return tuple(n + 1 for n in numbers) or None


def _point(at: object) -> Point:
    x, y, z = (float(v) for v in at)  # type: ignore[attr-defined]
    return x, y, z


def mass_difference(weighed: Weighed, z: float, bench: Bench) -> Differed:
    """The change in mg. The error of the common factor scales a change; it makes none."""
    factor = bench.factor
    if factor is None:
        unknown = next(r.calibration for r in bench.rules if r.calibration.mg_cm3_per_hu is None)
        return Refusal("mass_mg", f"{unknown.source} (the verdict rests on the sum of HU above background, which needs no factor)")
    seen = detectable(weighed.null_sd, z)
    if bench.same:
        return Difference(weighed.before * factor, weighed.before * factor, 0.0, 0.0, 0.0, seen * factor)
    reach = Z_95 * math.hypot(weighed.change_sd, weighed.change * bench.scale_sd)
    change = weighed.change
    return Difference(*(v * factor for v in (weighed.before, weighed.after, change, change - reach, change + reach, seen)))


def _difference(name: str, before: Measured, after: Measured, z: float, same: bool) -> Differed:
    """The change of a count, from the intervals of both."""
    for one, when in ((before, "baseline"), (after, "follow-up")):
        if isinstance(one, Refusal):
            return Refusal(name, f"{when}: {one.reason}")
    sd = math.hypot(*((m.high - m.value) / Z_95 for m in (before, after)))  # type: ignore[union-attr]
    change = after.value - before.value  # type: ignore[union-attr]
    reach = 0.0 if same else Z_95 * sd
    return Difference(before.value, after.value, change, change - reach, change + reach, detectable(sd, z))  # type: ignore[union-attr]


def _verdict(examined: Examined, call: Call | None, bench: Bench) -> tuple[Verdict, str]:
    if bench.same:
        return "unchanged", "the same scan twice"
    if bench.no_change:
        return "cannot tell", bench.no_change
    w, group = examined.weighed, examined.place.group
    if w is None or call is None:
        outside = "outside the field" in examined.unseen or examined.unseen.startswith("cut by")
        return ("not covered" if outside else "cannot tell"), examined.unseen
    if not group.baseline or not group.followup:
        return _one_sided(w, call, bench, new=not group.baseline)
    if examined.pieces:
        before, after = examined.pieces
        said = f"{_pieces(before)} before, {_pieces(after)} after; {_moved(w, call, bench)}"
        return ("split" if before < after else "merged"), said
    return _two_sided(w, call, bench)


def _two_sided(w: Weighed, call: Call, bench: Bench) -> tuple[Verdict, str]:
    if call.changed:
        return ("shrank" if w.change < 0 else "grew"), _moved(w, call, bench)
    if detectable(w.null_sd, call.z) >= max(w.before, w.after):
        return "cannot tell", f"too small for this pair: even if it were gone, the change would not stand out, as {_seen(w, call, bench)}"
    return "unchanged", _moved(w, call, bench)


def _one_sided(w: Weighed, call: Call, bench: Bench, new: bool) -> tuple[Verdict, str]:
    """Found in one scan alone: a decision about what is at its place in the other, never about its absence from a list."""
    there, there_sd, name = (w.before, w.before_sd, "baseline") if new else (w.after, w.after_sd, "follow-up")
    here = w.after if new else w.before
    if call.changed and (w.change > 0) == new:
        if left(there, there_sd):
            return ("grew" if new else "shrank"), f"not found by itself in the {name}, but not nothing: {_moved(w, call, bench)}"
        if there + Z_95 * there_sd >= MOST_LEFT * here:
            return ("grew" if new else "shrank"), f"not found in the {name}, which may still hold part of it: {_moved(w, call, bench)}"
        return ("new" if new else "resolved"), f"at its place the {name} shows nothing above its noise: {_moved(w, call, bench)}"
    if left(there, there_sd) and not call.changed and detectable(w.null_sd, call.z) < max(w.before, w.after):
        return "unchanged", f"not found by itself in the {name}, but as much lies at its place: {_moved(w, call, bench)}"
    return "cannot tell", f"not found in the {name}, but a change of its size would not stand out, as {_seen(w, call, bench)}"


def _pieces(count: int) -> str:
    return "one piece" if count == 1 else f"{count} pieces"


def _amount(value: float, w: Weighed, bench: Bench) -> str:
    """With as many digits as the deposit's mass carries: three."""
    factor = bench.factor
    if factor is None:
        return f"{value:.0f} HU mm3"
    largest = max(abs(w.before), abs(w.after)) * factor
    return f"{value * factor:.{0 if largest >= 100 else 1 if largest >= 10 else 2}f} mg"


def _moved(w: Weighed, call: Call, bench: Bench) -> str:
    return f"a change of {'+' if w.change >= 0 else '-'}{_amount(abs(w.change), w, bench)}, where {_seen(w, call, bench)}"


def _seen(w: Weighed, call: Call, bench: Bench) -> str:
    return f"this pair shows changes from {_amount(detectable(w.null_sd, call.z), w, bench)} on"
