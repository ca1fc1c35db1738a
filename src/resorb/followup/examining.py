"""Each place of a pair, looked at in both scans: weighed under one window, counted by definition, and whether it fell apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

from resorb.ct import gauge
from resorb.ct.surroundings import Surroundings
from resorb.followup.bridges import parted
from resorb.followup.comparable import Comparability
from resorb.followup.grounds import Grain, grain_of, noise_here
from resorb.followup.pairing import Pairing, Place, Side
from resorb.followup.weighing import Blur, Weighed, blur_of, settle
from resorb.followup.windows import Look, Sifted, sift
from resorb.terms.measurement import DepositMeasure

ERROR_TO_AXIS = 2.8
BLUR_MM2 = {"same": 0.12, "alike": 0.33, "other": 0.6}


@dataclass(frozen=True)
class Examined:
    """One place. weighed : none where it cannot be seen in both scans, and `unseen` says why. counts : of both scans, by definition.

    pieces : how many before and after, where one thing truly fell apart or grew together.
    """

    place: Place
    weighed: Weighed | None
    counts: tuple[DepositMeasure, DepositMeasure] | None
    unseen: str = ""
    pieces: tuple[int, int] | None = None


def examine(pairing: Pairing, before: Side, after: Side, alike: Comparability) -> tuple[Examined, ...]:
    """Every place of the pair."""
    grains = (grain_of(before.scan, before.findings.noise), grain_of(after.scan, after.findings.noise))
    seen = [_seen(place, pairing, (before, after), grains) for place in pairing.places]
    sifted = [one for one in seen if isinstance(one, _Seen)]
    blurs = iter(blur_of([one.sifted for one in sifted], BLUR_MM2[alike.blur]))
    return tuple(_settled(one, next(blurs), before, after, alike.gain) if isinstance(one, _Seen) else one for one in seen)


@dataclass(frozen=True)
class _Seen:
    """A place that both scans show whole."""

    place: Place
    looks: tuple[Look, Look]
    sifted: Sifted
    counts: tuple[DepositMeasure, DepositMeasure]


def _seen(place: Place, pairing: Pairing, sides: tuple[Side, Side], grains: tuple[Grain, Grain]) -> _Seen | Examined:
    before, after = sides
    if place.before is None or place.after is None:
        return Examined(place, None, None, place.unseen)
    own = (pairing.candidates_before[place.before], pairing.candidates_after[place.after])
    looks = (
        _look(before, pairing.before.around(place.before, own[0]), bool(place.group.baseline), grains[0]),
        _look(after, pairing.after.around(place.after, own[1]), bool(place.group.followup), grains[1]),
    )
    for look, name in zip(looks, ("baseline", "follow-up"), strict=True):
        if look.here.clipped:
            return Examined(place, None, None, f"cut by the edge of the {name}: not all of it is seen")
    counts = (
        gauge.deposit(place.before, own[0], pairing.before, before.rules),
        gauge.deposit(place.after, own[1], pairing.after, after.rules),
    )
    return _Seen(place, looks, sift(looks[0], looks[1], place.local, place.error_mm / ERROR_TO_AXIS), counts)


def _settled(one: _Seen, blur: Blur, before: Side, after: Side, gain: float) -> Examined:
    weighed = settle(one.sifted, blur, gain)
    threshold = min(side.rules.convention.threshold_hu for side in (before, after))
    return Examined(one.place, weighed, one.counts, pieces=parted(one.looks, threshold, one.place.local, weighed))


def _look(side: Side, here: Surroundings, found: bool, grain: Grain) -> Look:
    thickness = side.scan.acquisition.thickness_mm or float(side.scan.spacing[0])
    return Look(side.scan, here, found, thickness, noise_here(here, grain), grain.together)


def in_mg(examined: Examined, before: Side, after: Side) -> Examined:
    """The same with the follow-up on the baseline's scale, where the two scanners have factors of their own."""
    a, b = (side.rules.calibration.mg_cm3_per_hu for side in (before, after))
    if examined.weighed is None or a is None or b is None or a == b:
        return examined
    w, scale = examined.weighed, b / a
    return replace(examined, weighed=replace(w, after=w.after * scale, after_sd=w.after_sd * scale))
