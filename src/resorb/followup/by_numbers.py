"""Two kept measurements without their scans: the totals held against each other by their intervals; no deposit is matched.

Nothing can be aligned without pixels, so neither the same deposits nor the same parts of the body can be checked. The answer says so.
"""

from __future__ import annotations

import math

import numpy as np

from resorb.ct.measuring import Settings
from resorb.ct.scan import Acquisition, Scan
from resorb.evidence.library import library
from resorb.evidence.showing import shown
from resorb.followup.comparable import Comparability, comparable
from resorb.followup.comparison import Stated
from resorb.followup.totals import per_year
from resorb.terms.assessment import Refusal
from resorb.terms.change import Alignment, Change, DepositChange, Differed, Difference, TotalChange, Versions
from resorb.terms.errors import UserError
from resorb.terms.measurement import DepositMeasure, Measured, Measurement, ScanFacts
from resorb.terms.verdict import Verdict

Z_95 = 1.96
MEASURES = ("mass_mg", "volume_mm3", "agatston")
NO_PIXELS = "two measurements hold no pixels, so no deposit can be matched with another; compare the scans themselves"
CAVEAT = "that both scans show the same parts of one person could not be checked without the scans"


def compare_numbers(
    before: Measurement, after: Measurement, *, settings: Settings | None = None, stated: Stated | None = None, **given: object
) -> Change:
    """The totals of two measurements, judged by their own intervals; each deposit is listed, and none is judged.

    Of what is stated only the months count: how the scans were measured is fixed. Settings and labels are refused, not ignored.
    """
    months = stated.months if stated else None
    if settings not in (None, Settings()) or any(one is not None for one in given.values()):
        raise UserError(
            "measurements: found labels or settings; expected none: both are fixed since the scans were measured; try: measure again"
        )
    for name in ("convention", "calibration"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            raise UserError(f"measurements: found two of different {name}; expected one {name} for both; try: measure both scans alike")
    if months is not None and not (math.isfinite(months) and 0 <= months < 1500):
        raise UserError(f"months: found {months}; expected the months from the baseline to the follow-up, 0 or more")
    shelf = library()
    same = before.scan.identity == after.scan.identity
    alike = comparable(_stand_in(before.scan), _stand_in(after.scan), None, shelf)
    judged = _total(before, after, alike, same)
    lost = Alignment("none", None, None, None, None, "" if same else "two measurements hold no pixels to lay on each other")
    versions = Versions(before.versions.resorb, shelf.version, before.scan.identity, after.scan.identity)
    deposits = (
        tuple(_alone(d, True, same) for d in before.deposits),
        tuple(_alone(d, False, same) for d in after.deposits if not same),
    )
    warnings = ("baseline and follow-up are the same scan",) if same else (CAVEAT,)
    total = TotalChange(*judged, per_year(judged[4], months))
    return Change(
        before.scan,
        after.scan,
        months,
        (*deposits[0], *deposits[1]),
        total,
        lost,
        alike.differs,
        warnings,
        shown(alike.sources, shelf),
        versions,
    )


def _stand_in(facts: ScanFacts) -> Scan:
    """The acquisition of a scan without its voxels."""
    acquisition = Acquisition(facts.kvp, facts.kernel, facts.thickness_mm, facts.manufacturer)
    empty = np.broadcast_to(np.int16(0), facts.shape)
    return Scan(empty, np.array(facts.affine_lps), acquisition, single_slice=facts.spacing_mm[0] is None)


def _total(
    before: Measurement, after: Measurement, alike: Comparability, same: bool
) -> tuple[Verdict, str, int, int, Differed, Differed, Differed]:
    made = [_difference(name, getattr(before.total, name), getattr(after.total, name), same) for name in MEASURES]
    if alike.no_counts and not same:
        made[2] = Refusal("agatston", alike.no_counts)
    count = (len(before.deposits), len(after.deposits))
    verdict, why = _verdict(made[0], alike, count, same)
    return verdict, why, *count, made[0], made[1], made[2]


def _difference(name: str, before: Measured, after: Measured, same: bool) -> Differed:
    for one, when in ((before, "baseline"), (after, "follow-up")):
        if isinstance(one, Refusal):
            return Refusal(name, f"{when}: {one.reason}")
    assert not isinstance(before, Refusal)
    assert not isinstance(after, Refusal)
    reach = math.hypot(*(max(m.high - m.value, m.value - m.low) for m in (before, after)))
    change = after.value - before.value
    own = 0.0 if same else reach
    return Difference(before.value, after.value, change, change - own, change + own, reach)


def _verdict(mass: Differed, alike: Comparability, count: tuple[int, int], same: bool) -> tuple[Verdict, str]:
    if same:
        return "unchanged", "the same scan twice"
    if alike.no_change or isinstance(mass, Refusal):
        return "cannot tell", f"the scans cannot be compared: {alike.no_change}" if alike.no_change else getattr(mass, "reason", "")
    if 0 in count:
        return "cannot tell", "one measurement holds no deposit, and whether its scan shows the place of the others cannot be checked"
    if abs(mass.change) > mass.detectable:
        return ("shrank" if mass.change < 0 else "grew"), "the total masses differ by more than their intervals allow; " + CAVEAT
    if mass.detectable >= max(mass.before, mass.after):
        return "cannot tell", "too little for these intervals: even if all were gone, it would not stand out"
    return "unchanged", "the total masses differ by no more than their intervals allow; " + CAVEAT


def _alone(d: DepositMeasure, is_baseline: bool, same: bool) -> DepositChange:
    ids = (d.id,)
    measures = [_difference(name, getattr(d, name), getattr(d, name), True) if same else Refusal(name, NO_PIXELS) for name in MEASURES]
    verdict: Verdict = "unchanged" if same else "cannot tell"
    why = "the same scan twice" if same else NO_PIXELS
    known = (ids if is_baseline else None, ids if same or not is_baseline else None)
    return DepositChange(*known, verdict, why, d.site, d.centroid_mm, d.centroid_mm, *measures)
