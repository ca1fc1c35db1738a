"""All deposits that both scans cover, added up, with what published rules say of the same totals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from resorb.evidence.library import Library
from resorb.evidence.limits import Rule
from resorb.followup.examining import Examined
from resorb.followup.judging import Call
from resorb.followup.verdicts import Z_95, Bench, mass_difference
from resorb.followup.weighing import Weighed
from resorb.terms.assessment import Refusal
from resorb.terms.change import DepositChange, Differed, Difference, RuleSays, TotalChange
from resorb.terms.measurement import Measure
from resorb.terms.verdict import Verdict

MONTHS_A_YEAR = 12.0
_UNCHANGED = "two such scans of an unchanged body would differ"


@dataclass(frozen=True)
class Sums:
    """What is added up: places weighed in both scans, and how many places could not be."""

    seen: tuple[Examined, ...]
    left_out: int

    @property
    def weighed(self) -> Weighed | None:
        """All weighings as one; what they share adds up, noise does not."""
        parts = [e.weighed for e in self.seen if e.weighed]
        if not parts:
            return None
        change = sum(p.change for p in parts)
        scale = math.sqrt(math.fsum((p.scale_sd * p.change) ** 2 for p in parts)) / abs(change) if change else 0.0
        return Weighed(
            math.fsum(p.before for p in parts),
            math.fsum(p.after for p in parts),
            math.hypot(*(p.before_sd for p in parts)),
            math.hypot(*(p.after_sd for p in parts)),
            math.hypot(*(p.noise_sd for p in parts)),
            math.fsum(p.common_sd for p in parts),
            min(scale, 1e3),
        )


def sums_of(examined: Iterable[Examined]) -> Sums:
    """Split what both scans show from what they do not."""
    every = tuple(examined)
    seen = tuple(e for e in every if e.weighed)
    return Sums(seen, len(every) - len(seen))


def total_of(sums: Sums, deposits: Sequence[DepositChange], call: Call | None, bench: Bench, found: tuple[int, int]) -> TotalChange:
    """The total and its verdict. found : deposits in either scan."""
    weighed = sums.weighed
    verdict, why = _verdict(sums, deposits, call, bench, found)
    z = call.z if call else math.nan
    nothing = bench.no_change or ("no deposit was found in either scan" if found == (0, 0) else "no deposit is seen by both scans")
    if bench.no_change or weighed is None or call is None:
        mass, volume, score = (Refusal(name, nothing) for name in ("mass_mg", "volume_mm3", "agatston"))
        return TotalChange(verdict, why, *found, mass, volume, score, Refusal("annual_mass_mg", nothing))
    weight = mass_difference(weighed, z, bench)
    volumes, scores = _added("volume_mm3", deposits), _added("agatston", deposits)
    return TotalChange(verdict, why, *found, weight, volumes, scores, Refusal("annual_mass_mg", "the time between the scans is not known"))


def _added(name: str, deposits: Sequence[DepositChange]) -> Differed:
    """The sum of one measure; refused where one of its parts is."""
    counted = [(n, getattr(d, name)) for n, d in enumerate(deposits, 1) if d.verdict != "not covered"]
    parts = [one for _, one in counted if isinstance(one, Difference)]
    lost = [(n, one.reason) for n, one in counted if isinstance(one, Refusal)]
    if lost:
        return Refusal(name, _no_sum(lost, len(counted)))
    if not parts:
        return Refusal(name, "no deposit is seen by both scans")
    before, after, change = (math.fsum(getattr(p, k) for p in parts) for k in ("before", "after", "change"))
    down, up = (math.hypot(*(p.change - p.low for p in parts)), math.hypot(*(p.high - p.change for p in parts)))
    return Difference(before, after, change, change - down, change + up, math.hypot(*(p.detectable for p in parts)))


def _no_sum(lost: Sequence[tuple[int, str]], of: int) -> str:
    """Why there is no sum: a part of it would pass for the whole."""
    number, reason = lost[0]
    many = "its only deposit has none" if of == 1 else f"{len(lost)} of {of} deposits have none, and a part would pass for the whole"
    return f"{many} (number {number}, {reason})"


def _verdict(sums: Sums, deposits: Sequence[DepositChange], call: Call | None, bench: Bench, found: tuple[int, int]) -> tuple[Verdict, str]:
    if bench.same:
        return "unchanged", "the same scan twice"
    if bench.no_change:
        return "cannot tell", bench.no_change
    if found == (0, 0):
        return "unchanged", "no deposit was found in either scan"
    weighed = sums.weighed
    if weighed is None or call is None:
        return "cannot tell", "no deposit is seen whole by both scans"
    verdict, why = _judged(weighed, deposits, call)
    return verdict, why + _left_out(sums.left_out)


def _left_out(count: int) -> str:
    many = "deposit that cannot" if count == 1 else "deposits that cannot"
    return f"; not counted: {count} {many} be weighed in both scans" if count else ""


def _judged(weighed: Weighed, deposits: Sequence[DepositChange], call: Call) -> tuple[Verdict, str]:
    verdicts = {d.verdict for d in deposits if d.verdict not in ("not covered", "cannot tell")}
    if len(verdicts) == 1 and verdicts <= {"resolved", "new"}:
        return verdicts.pop(), "every deposit that both scans cover"
    if call.changed:
        return ("shrank" if weighed.change < 0 else "grew"), f"the total mass changed by more than {_UNCHANGED}"
    if call.z * weighed.null_sd >= max(weighed.before, weighed.after):
        return "cannot tell", "too little for this pair: even if all were gone, the change would not stand out"
    return "unchanged", f"the total mass changed by no more than {_UNCHANGED}"


def per_year(mass: Differed, months: float | None) -> Differed:
    """The change of mass by year."""
    if isinstance(mass, Refusal):
        return replace(mass, about="annual_mass_mg")
    if months is None:
        return Refusal("annual_mass_mg", "the time between the scans is not known")
    if months <= 0:
        return Refusal("annual_mass_mg", "the scans were made on one day")
    by = MONTHS_A_YEAR / months
    return Difference(mass.before, mass.after, *(v * by for v in (mass.change, mass.low, mass.high, mass.detectable)))


def rules_say(sums: Sums, shelf: Library, bmi: float | None) -> tuple[RuleSays, ...]:
    """What published rules say, each of the deposits at the sites it was made for; where no site is known, the limits of all."""
    sites = [shelf.site_named(e.place.site) for e in sums.seen]
    said = [_rule_says(rule, sums, sites, bmi) for rule in shelf.decks.rules if "bmi" not in rule.limit or bmi is not None]
    return tuple(one for one in said if one)


def _rule_says(rule: Rule, sums: Sums, sites: Sequence[str | None], bmi: float | None) -> RuleSays | None:
    seen = tuple(e for e, site in zip(sums.seen, sites, strict=True) if site in rule.sites)
    applies = f"made on {rule.made_on}; here {len(seen)} of {len(sites)} deposits lie there"
    if not any(sites) and rule.tells == "limit":
        seen, applies = sums.seen, f"made on {rule.made_on}; where the deposits lie is not known here"
    part = Sums(seen, 0)
    before, after = (_count(part, rule.measure, at) for at in (0, 1))
    if before is None or after is None:
        return None
    limit, change = limit_of(rule, before, bmi), change_by(rule, before, after)
    exceeded = change >= limit if rule.only == "up" else abs(change) > limit
    source = rule.source if isinstance(rule.source, str) else rule.source[0]
    return RuleSays(rule.name, rule.measure, limit, change, exceeded, applies, source, rule.tells)


def _count(sums: Sums, measure: str, which: int) -> float | None:
    values = [getattr(e.counts[which], measure) for e in sums.seen if e.counts]
    if not values or not all(isinstance(v, Measure) for v in values):
        return None
    return math.fsum(v.value for v in values)


def limit_of(rule: Rule, before: float, bmi: float | None = None) -> float:
    """The change a rule needs, at this baseline."""
    if before <= 0 and rule.from_zero is not None:
        return rule.from_zero
    terms = {"constant": 1.0, "baseline": before, "root_baseline": math.sqrt(max(before, 0.0)), "bmi": bmi or 0.0}
    return math.fsum(factor * terms[name] for name, factor in rule.limit.items())


def change_by(rule: Rule, before: float, after: float) -> float:
    """The change on the scale that a rule uses."""
    return math.sqrt(max(after, 0.0)) - math.sqrt(max(before, 0.0)) if rule.scale == "root" else after - before


__all__ = ["Z_95", "Sums", "change_by", "limit_of", "per_year", "rules_say", "sums_of", "total_of"]
