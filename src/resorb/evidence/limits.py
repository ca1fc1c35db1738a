"""Cards for comparing two scans: published rules for a change, and what a difference between the scans does to it."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from .card import Card, Sources, Texts

Effect = Literal["said", "widens", "cannot tell"]
Unlikeness = Literal[
    "kvp", "unknown_kvp", "kernel", "unknown_kernel", "sharp_kernel", "thickness", "spacing", "manufacturer", "contrast",
    "single_slice", "field", "same", "scanner", "unknown_scanner",
]  # fmt: skip


class Rule(Card, frozen=True, kw_only=True):
    """A published rule: a total has changed when it changed by more than `limit`, the sum of the terms named there.

    `tells` usual: `limit` is no limit, but how far two scans of something unchanged lay apart, on average or in the middle.

    Terms: `constant`, and factors of `baseline`, `root_baseline` (its square root) and `bmi`. `scale` root: the square roots of the
    totals are compared instead. `from_zero`: the limit where the baseline is nought. `only`: up, where the rule speaks of increase alone.
    """

    id: str
    name: str
    measure: Literal["agatston", "volume_threshold_mm3"]
    limit: dict[Literal["constant", "baseline", "root_baseline", "bmi"], float]
    made_on: str
    says: str
    source: Sources
    where: str
    tells: Literal["limit", "usual"] = "limit"
    scale: Literal["plain", "root"] = "plain"
    from_zero: float | None = None
    only: Literal["up", "both"] = "both"
    sites: Texts = ()  # the sites it was made for
    reported: dict[str, float] = field(default_factory=dict)  # what the source found: percent, and people


class Unlike(Card, frozen=True, kw_only=True):
    """What it does to a change when the two scans differ in this.

    `more_than` is the difference that still counts as none: absolute, or as a share of the smaller where `share` is true.
    `counts` is the effect on numbers that rest on a threshold (Agatston score), `effect` that on masses.
    `relative_sd` is what it adds to the error of one weighing, as a share of the mass.
    """

    id: str
    what: Unlikeness
    effect: Effect
    says: str
    source: Sources
    where: str = ""
    more_than: float = 0.0
    share: bool = False
    counts: Effect | None = None
    relative_sd: float = 0.0
    reported: dict[str, float] = field(default_factory=dict)  # what the source found, percent
