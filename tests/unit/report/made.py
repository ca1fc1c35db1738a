"""Measurements and changes made by hand, for tests of what is written of them."""

from __future__ import annotations

from dataclasses import replace

from resorb.terms.assessment import Refusal, SourceShown
from resorb.terms.change import (
    Alignment,
    Change,
    DepositChange,
    Difference,
    Differs,
    RuleSays,
    TotalChange,
    Versions,
)
from resorb.terms.measurement import (
    Calibration,
    Convention,
    DepositMeasure,
    Excluded,
    Measure,
    Measurement,
    Picture,
    ScanFacts,
    SiteMeasure,
    SmallestSeen,
)
from resorb.terms.measurement import Versions as Measured

AFFINE = ((0.0, 0.0, 0.5, -60.0), (0.0, 0.5, 0.0, -60.0), (1.5, 0.0, 0.0, -90.0), (0.0, 0.0, 0.0, 1.0))
PNG = b"\x89PNG\r\n\x1a\n made by hand"


def scan(identity: str = "a" * 32, **changed: object) -> ScanFacts:
    facts = ScanFacts(
        identity, (120, 240, 240), (1.5, 0.5, 0.5), AFFINE, 1.5, 120.0, "B30f", "maker", "contrast not seen", 12.3456789012, "chest", "scan"
    )
    return replace(facts, **changed)  # type: ignore[arg-type]


def deposit(number: int = 1, mass: float = 12.0) -> DepositMeasure:
    none = Refusal("diameter_mm", "too small for this scan's blur")
    value = Measure(mass, 0.9 * mass, 1.1 * mass)
    return DepositMeasure(
        number, "aorta", 0.0, "high", "dense and outside bone", (1.0 * number, 2.5, -3.25), (4, 7),
        value, value, value, value, value, none, value, value, none, none, none, ("near the edge",),
    )  # fmt: skip


def measurement(*masses: float, identity: str = "a" * 32) -> Measurement:
    deposits = tuple(deposit(n, mass) for n, mass in enumerate(masses or (12.0, 3.5), 1))
    total = sum(d.mass_mg.value for d in deposits if isinstance(d.mass_mg, Measure))
    whole = Measure(total, 0.95 * total, 1.05 * total)
    site = SiteMeasure("total", len(deposits), whole, whole, whole, whole, Refusal("mass_threshold_mg", "not at this voltage"))
    return Measurement(
        scan(identity), deposits, (replace(site, site="aorta"),), site,
        (Excluded("bone", "joined to the skeleton", 3, None, 1200.0, (0.0, 0.0, 0.0)),),
        ("mind this",), (Refusal("percentile", "needs age and sex"),),
        Convention("agatston_1990", 130.0, (130.0, 200.0, 300.0, 400.0), 1.0, 3, 8, 3.0, "Agatston 1990"),
        Calibration(0.742, 0.03, "published"), SmallestSeen(0.3, 1.2, "noise and blur"), Measured("0.1", identity), ("another series",),
    )  # fmt: skip


def difference(before: float, after: float, noise: float = 0.1, detectable: float | None = None) -> Difference:
    half = noise * max(before, after)
    return Difference(
        before, after, after - before, after - before - half, after - before + half, 1.5 * half if detectable is None else detectable
    )


def pair(number: int, verdict: str, before: float, after: float, **changed: object) -> DepositChange:
    """One deposit: ids follow from the verdict."""
    gone, new = verdict in ("resolved",), verdict == "new"
    made = DepositChange(
        None if new else (number,), None if gone else (number,), verdict, f"decided by hand: {verdict}", "aorta",  # type: ignore[arg-type]
        (10.0 * number - 40, 5.0 * number - 20, 8.0 * number - 50), (10.0 * number - 35, 5.0 * number - 22, 8.0 * number - 48),
        difference(before, after), difference(1.4 * before, 1.4 * after), difference(9 * before, 9 * after),
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def all_verdicts() -> tuple[DepositChange, ...]:
    none = Refusal("mass_mg", "the place was not scanned again")
    return (
        pair(1, "unchanged", 40.0, 41.0),
        pair(2, "shrank", 22.0, 13.0),
        pair(3, "resolved", 4.2, 0.0),
        pair(4, "grew", 8.0, 14.0),
        pair(5, "new", 0.0, 6.0),
        pair(6, "merged", 9.0, 9.2, baseline=(6, 7), followup=(6,)),
        pair(7, "split", 12.0, 11.5, baseline=(8,), followup=(7, 8)),
        pair(8, "not covered", 5.0, 0.0, mass_mg=none, volume_mm3=none, agatston=none, followup=None),
        pair(9, "cannot tell", 0.9, 0.5),
    )


def change(*deposits: DepositChange, verdict: str = "shrank", months: float | None = 12.4, **changed: object) -> Change:
    rows = deposits or all_verdicts()
    masses = [d.mass_mg for d in rows if isinstance(d.mass_mg, Difference)]
    before, after = sum(m.before for m in masses), sum(m.after for m in masses)
    mass = difference(before, after, 0.03)
    annual = (
        Refusal("annual_mass_mg", "no scan dates")
        if months is None
        else Difference(
            before, before + mass.change * 12 / months, mass.change * 12 / months, mass.low * 12 / months, mass.high * 12 / months,
            mass.detectable * 12 / months,
        )
    )  # fmt: skip
    rule = RuleSays("square root volume", "volume_mm3", 2.5, 3.1, True, "made on one scanner, gated", "hokanson_2004")
    total = TotalChange(
        verdict, "the mass fell by more than this pair scatters", len(rows), len(rows), mass,  # type: ignore[arg-type]
        difference(1.4 * before, 1.4 * after, 0.03), difference(9 * before, 9 * after, 0.06), annual, (rule,),
    )  # fmt: skip
    made = Change(
        scan("a" * 32), scan("b" * 32, thickness_mm=3.0), months, rows, total, Alignment("rigid, refined", 0.7, 12.5, 3.1, 93.0),
        (Differs("slice thickness", "1.5 mm", "3 mm", "widens", "small deposits look larger in thick slices", ("hokanson_2004",)),),
        ("the table moved between the scans",),
        (SourceShown("hokanson_2004", "Hokanson JE, et al. AJR 2004", 2004, "abstract", "a reader", "2026-11-20", "https://doi.org/10.2214/x"),),
        Versions("0.1", "0123456789abcdef", "a" * 32, "b" * 32),
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def picture(name: str, width: int = 120, height: int = 100) -> Picture:
    outline = ("1", ((10.0, 10.0), (40.0, 10.0)))
    return Picture(name, f"caption of {name}", PNG, width, height, (outline,), (("1", 30.0, 40.0), ("2", 60.0, 20.0)))
