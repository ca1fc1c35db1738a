"""A measurement and a change made by hand, with every kind of value in them."""

from resorb.terms.assessment import Refusal
from resorb.terms.change import Alignment, Change, DepositChange, Difference, Differs, RuleSays, TotalChange
from resorb.terms.change import Versions as ChangeVersions
from resorb.terms.measurement import (
    Calibration,
    Convention,
    DepositMeasure,
    Excluded,
    Measure,
    Measurement,
    ScanFacts,
    SiteMeasure,
    SmallestSeen,
    Versions,
)

SCAN = ScanFacts("abc", (4, 8, 8), (3.0, 0.5, 0.5), ((1.0, 0.0, 0.0, 0.0),), 3.0, 120.0, "B30f", "made up", "none", 12.0)
REFUSED = Refusal("agatston", "no gated scan")


def made_measurement() -> Measurement:
    """Two deposits, one of them with refusals."""
    volume, mass = Measure(65.4, 60.1, 70.7), Measure(40.0, 36.0, 44.0)
    deposits = tuple(
        DepositMeasure(
            n, site, 0.0, "high", "above 130 HU & <dense>", (1.0, 2.0, 3.0), (1, 2), REFUSED, volume, volume, mass, mass,
            Measure(5, 4, 6), Measure(900, 880, 920), Measure(500, 480, 520), REFUSED, Measure(0.9, 0.8, 1.0), Measure(0.1, 0.0, 0.2),
            ("near bone",),
        )
        for n, site in ((1, "shoulder.supraspinatus"), (2, None))
    )  # fmt: skip
    summed = SiteMeasure("all", 2, REFUSED, volume, volume, mass, mass)
    return Measurement(
        SCAN, deposits, (SiteMeasure("shoulder", 2, Measure(0, 0, 0), volume, volume, mass, mass),), summed,
        (Excluded("bone", "touches bone", 3, None, 700.0, (0.0, 0.0, 0.0)),), ("thick slices",), (REFUSED,),
        Convention("agatston_1990", 130, (130, 200, 300, 400), 1.0, 3, 8, 3.0, "agatston_1990"),
        Calibration(0.8, 0.05, "a published factor"), SmallestSeen(1.0, 2.0, "99 of 100"), Versions("0.1.0", "abc"),
    )  # fmt: skip


def made_change() -> Change:
    """One deposit that shrank and one that cannot be told."""
    less = Difference(40.0, 20.0, -20.0, -26.0, -14.0, 6.0)
    deposits = (
        DepositChange((1,), (1,), "shrank", "less than can be missed", "shoulder", (1.0, 2.0, 3.0), (1.0, 2.0, 4.0), less, less, REFUSED),
        DepositChange((2,), None, "cannot tell", "too small", None, (1.0, 2.0, 3.0), (1.0, 2.0, 4.0), REFUSED, REFUSED, REFUSED),
    )  # fmt: skip
    rule = RuleSays("a rule", "agatston", 2.5, -3.0, True, "for gated scans", "a_source")
    total = TotalChange("shrank", "less in all", 2, 1, less, less, REFUSED, less, (rule,))
    return Change(
        SCAN, SCAN, 12.5, deposits, total, Alignment("rigid", 0.5, 10.0, 1.0, 90.0), (Differs("kernel", "B30f", "B40f", "widens", "x"),),
        ("read with care",), (), ChangeVersions("0.1.0", "ev", "abc", "def"),
    )  # fmt: skip
