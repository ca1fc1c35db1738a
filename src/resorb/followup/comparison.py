"""`compare`: two scans of one person become a `Change`, each deposit with its verdict."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from resorb.ct.finding import find
from resorb.ct.labels import Labels
from resorb.ct.measuring import Settings, labels_of, rules_of, scan_facts
from resorb.ct.reading import read
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan
from resorb.evidence.library import Library, library
from resorb.evidence.showing import shown
from resorb.followup.aligning import Aligned, align
from resorb.followup.comparable import Comparability, comparable
from resorb.followup.examining import Examined, examine, in_mg
from resorb.followup.judging import Call, call, p_value
from resorb.followup.pairing import Pairing, Place, Side, pair
from resorb.followup.totals import per_year, rules_say, sums_of, total_of
from resorb.followup.unaligned import alone
from resorb.followup.verdicts import Bench, change_of
from resorb.followup.weighing import Weighed
from resorb.terms.change import Change, Versions
from resorb.terms.errors import UserError

DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Stated:
    """What the user states of the pair.

    series_* : where the rule would pick another. months : between the scans, where no header has the dates, or against them.
    same_person : true where the headers' IDs differ, yet it is one person. bmi : kg/m2, for the rules that need it.
    settings_followup : where they differ from those of the baseline. aligned : an alignment known from elsewhere.
    """

    series_baseline: str | None = None
    series_followup: str | None = None
    months: float | None = None
    same_person: bool = False
    bmi: float | None = None
    settings_followup: Settings | None = None
    aligned: Aligned | None = None


STANDARD, NOTHING = Settings(), Stated()


@dataclass(frozen=True)
class Compared:
    """The answer with what it was made of, for pictures: both scans, what was found on them, and how they lie on each other."""

    change: Change
    before: Side
    after: Side
    aligned: Aligned
    pairing: Pairing | None


def compare(
    baseline: Scan | str | Path,
    followup: Scan | str | Path,
    *,
    labels_baseline: Labels | str | Path | None = None,
    labels_followup: Labels | str | Path | None = None,
    settings: Settings = STANDARD,
    stated: Stated = NOTHING,
) -> Change:
    """Did it go away? Every deposit of two CTs of one person with its verdict, the total, and the smallest change this pair can show.

    baseline, followup : `Scan`s, or the paths of scans (see `resorb.ct.read`). labels_* : where to look, see `resorb.ct.measure`.
    Raises `ScanRefused` for a scan that cannot be measured, and `UserError` for two people or swapped dates.
    """
    labels = (labels_baseline, labels_followup)
    return compared((baseline, followup), labels, settings, stated).change


def compared(
    scans: tuple[Scan | str | Path, Scan | str | Path],
    labels: tuple[Labels | str | Path | None, Labels | str | Path | None] = (None, None),
    settings: Settings = STANDARD,
    stated: Stated = NOTHING,
) -> Compared:
    """The same as `compare`, with what the answer was made of."""
    before, after = (
        scan if isinstance(scan, Scan) else read(scan, series=series)
        for scan, series in zip(scans, (stated.series_baseline, stated.series_followup), strict=True)
    )
    _one_person(before, after, stated)
    months = months_between(before, after, stated)
    with ThreadPoolExecutor(1) as aside:
        aside.submit(lambda: (before.identity, after.identity))
        chosen = (settings, stated.settings_followup or settings)
        sides = [_side(scan, given, own) for scan, given, own in zip((before, after), labels, chosen, strict=True)]
    return _judged(sides[0], sides[1], months, (stated, chosen), library())


def _side(scan: Scan, labels: Labels | str | Path | None, settings: Settings) -> Side:
    found = find(scan, labels_of(labels, scan, settings), contrast=settings.contrast)
    seen_enough = replace(found.coarse, cells=np.zeros((0, 0, 0), np.float32))  # the coarse view has done its work, and is large
    return Side(scan, replace(found, coarse=seen_enough), rules_of(scan, settings))


def _told(scan: Scan, settings: Settings) -> Scan:
    """The scan with the tube voltage that the user states, where its header has none."""
    known = scan.acquisition
    return scan if known.kvp is not None or settings.kvp is None else replace(scan, acquisition=replace(known, kvp=float(settings.kvp)))


def _one_person(before: Scan, after: Scan, stated: Stated) -> None:
    a, b = before.acquisition.patient_key, after.acquisition.patient_key
    if a and b and a != b and not stated.same_person:
        raise refuse(
            "baseline and follow-up",
            "two patients (their IDs or birth dates differ)",
            "two scans of one person",
            "the right pair; or, where only the ID was changed, state that it is the same person (same_person)",
        )


def months_between(before: Scan, after: Scan, stated: Stated) -> float | None:
    """Months from baseline to follow-up: stated, or from the headers' dates. Refuses a follow-up before its baseline."""
    if stated.months is not None:
        if not (math.isfinite(stated.months) and 0 <= stated.months < 1500):
            raise UserError(f"months: found {stated.months}; expected the months from the baseline to the follow-up, 0 or more")
        return float(stated.months)
    days = [_day(scan.acquisition.acquired) for scan in (before, after)]
    if days[0] is None or days[1] is None:
        return None
    apart = (days[1] - days[0]).days
    if apart < 0:
        raise refuse(
            "baseline and follow-up",
            f"a follow-up {-apart} days before its baseline",
            "the earlier scan first",
            "name them the other way round",
        )
    return apart / DAYS_A_MONTH


def _day(written: str | None) -> date | None:
    """A date as DICOM writes it, YYYYMMDD."""
    digits = (written or "").replace(".", "").replace("-", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


@dataclass(frozen=True)
class _Pair:
    """What an answer is made of."""

    before: Side
    after: Side
    told: tuple[Settings, Settings]
    aligned: Aligned
    alike: Comparability
    bench: Bench
    months: float | None
    bmi: float | None


def _judged(before: Side, after: Side, months: float | None, told: tuple[Stated, tuple[Settings, Settings]], shelf: Library) -> Compared:
    stated, (own, others) = told
    same = before.scan.identity == after.scan.identity
    alike = comparable(_told(before.scan, own), _told(after.scan, others), (before.findings, after.findings), shelf)
    aligned = stated.aligned or align(before.scan, after.scan)
    single = before.scan.single_slice or after.scan.single_slice
    lost = aligned.facts.failed or ("a single slice" if single else "")
    apart = f"the scans cannot be compared ({alike.no_change})" if alike.no_change else ""
    unlaid = f"the scans could not be laid on each other: {lost}" if lost and not single else ""
    no_change = "; ".join(said for said in (apart, unlaid) if said)
    bench = Bench((before.rules, after.rules), same, "" if same else no_change, "" if same else alike.no_counts)
    pairing = None if lost else pair(before, after, aligned)
    places: tuple[Place, ...] = pairing.places if pairing else alone(before, after)
    examined: tuple[Examined, ...] = tuple(Examined(place, None, None, place.unseen) for place in places)
    if pairing and not bench.no_change:
        examined = tuple(in_mg(e, before, after) for e in examine(pairing, before, after, alike))
    change = _answer(_Pair(before, after, (own, others), aligned, alike, bench, months, stated.bmi), examined, shelf)
    return Compared(change, before, after, aligned, pairing)


def _answer(pair: _Pair, examined: tuple[Examined, ...], shelf: Library) -> Change:
    bench, sides = pair.bench, (pair.before, pair.after)
    sums = sums_of(examined)
    calls, total_call = calls_of(examined, sums.weighed)
    deposits = tuple(change_of(e, c, bench) for e, c in zip(examined, calls, strict=True))
    numbers = (len(pair.before.findings.candidates), len(pair.after.findings.candidates))
    total = total_of(sums, deposits, total_call, bench, numbers)
    rules = () if bench.no_counts or bench.no_change else rules_say(sums, shelf, pair.bmi)
    facts = [scan_facts(side.scan, side.findings, told) for side, told in zip(sides, pair.told, strict=True)]
    return Change(
        baseline=facts[0],
        followup=facts[1],
        months_between=pair.months,
        deposits=deposits,
        total=replace(total, annual_mass_mg=per_year(total.mass_mg, pair.months), rules=rules),
        alignment=pair.aligned.facts_at([e.place.centre for e in examined]),
        comparable=pair.alike.differs,
        warnings=_warnings(sides, bench),
        sources=shown((*pair.alike.sources, *(rule.source for rule in rules)), shelf),
        versions=Versions(_version(), shelf.version, facts[0].identity, facts[1].identity),
    )


def calls_of(examined: tuple[Examined, ...], whole: Weighed | None) -> tuple[list[Call | None], Call | None]:
    """One test for each deposit and one for the total, all held together to one false alarm in twenty patients."""
    seen = [n for n, e in enumerate(examined) if e.weighed]
    tests = [examined[n].weighed for n in seen]
    many = len(tests) > 1
    p_values = [p_value(w.change, w.null_sd) for w in (*tests, *([whole] if many else [])) if w]
    made = call(p_values)
    calls: list[Call | None] = [None] * len(examined)
    for n, one in zip(seen, made, strict=False):
        calls[n] = one
    return calls, made[-1] if made else None


def _warnings(sides: tuple[Side, Side], bench: Bench) -> tuple[str, ...]:
    said = ["baseline and follow-up are the same scan"] if bench.same else []
    for side, name in zip(sides, ("baseline", "follow-up"), strict=True):
        said += [f"{name}: {warning}" for warning in (*side.scan.warnings, *side.findings.warnings)]
    return tuple(said)


def _version() -> str:
    from resorb._version import __version__

    return __version__
