"""A change in plain words: what became of the whole, how many deposits did what, and what cannot be told, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ..terms.assessment import Refusal, SeenMeasure
from ..terms.change import Change, DepositChange, Differed, Difference
from ..terms.time import months_in_words


class Measured(NamedTuple):
    """A measure of a change: its field, its name and its unit in words."""

    field: str
    name: str
    unit: str


MEASURES = (Measured("mass_mg", "mass", "mg"), Measured("volume_mm3", "volume", "mm3"), Measured("agatston", "Agatston score", "AU"))
ORDER = ("resolved", "shrank", "grew", "new", "merged", "split", "cannot tell", "unchanged", "not covered")
HEADLINES = {
    "resolved": "The calcium seen before is gone",
    "shrank": "Less calcium than before",
    "unchanged": "No change that these scans can show",
    "grew": "More calcium than before",
    "new": "Calcium where none was seen before",
    "merged": "Deposits have grown together",
    "split": "Deposits have come apart",
    "not covered": "The scans show different parts",
    "cannot tell": "These scans cannot tell",
}
_COUNTED = {
    "resolved": ("is gone", "are gone"),
    "shrank": ("is smaller", "are smaller"),
    "grew": ("is larger", "are larger"),
    "new": ("is new", "are new"),
    "merged": ("has grown together with another", "have grown together with another"),
    "split": ("has come apart into several", "have come apart into several"),
    "unchanged": ("shows no change", "show no change"),
    "not covered": ("lies outside the other scan", "lie outside the other scan"),
    "cannot tell": ("cannot be judged", "cannot be judged"),
}


def headline(change: Change) -> str:
    """The verdict of the whole in a few words, with the time between."""
    if is_one_scan(change):
        return "The same scan twice"
    return f"{HEADLINES[change.total.verdict]}{apart(change.months_between)}"


def is_one_scan(change: Change) -> bool:
    """Whether a scan was compared with itself."""
    return change.baseline.identity == change.followup.identity


def apart(months: float | None) -> str:
    """The time between two scans: `, 14 months apart`; empty where it is not known."""
    if months is None:
        return ""
    return f", {months_in_words(months)} apart" if months else ", on one day"


def in_plain_words(change: Change) -> tuple[str, ...]:
    """Sentences for anyone: the total, the count of verdicts, what stays open and why."""
    return tuple(said for said in (*_whole(change), *_counts(change), *_open(change)) if said)


def _whole(change: Change) -> Iterator[str]:
    if is_one_scan(change):
        yield "Both are the same scan, so nothing can have changed."
        return
    total, failed, measured = change.total, change.alignment.failed, told_by(change.total)
    if failed and failed not in total.why:
        yield f"The two scans could not be laid on each other ({failed}), so no deposit was matched with another."
    if measured is None:
        reason = reason_of(total.mass_mg)
        yield f"{reason[:1].upper()}{reason[1:]}." if reason == total.why else f"No total can be compared: {reason}."
        if reason not in total.why and total.why not in reason:
            yield f"{total.why[:1].upper()}{total.why[1:]}."
        return
    difference: Difference = getattr(total, measured.field)
    which = "found" if failed else "that both scans show"
    yield f"The {measured.name} of all deposits {which} went {went(difference, measured.unit)}."
    yield f"These scans would have shown a change of {amount(difference.detectable, difference)} {measured.unit} or more."
    if total.verdict == "unchanged":
        yield "That no change shows does not prove that nothing changed."
    yield f"Why: {total.why}."


def _counts(change: Change) -> Iterator[str]:
    if not change.deposits:
        yield "No deposit was found that could be judged." if change.total.verdict == "cannot tell" else "Neither scan shows a deposit."
        return
    seen: Counter[str] = Counter(d.verdict for d in change.deposits)
    many = len(change.deposits)
    verdict = change.deposits[0].verdict
    if many == 1:
        yield f"The only deposit {_COUNTED[verdict][0]}."
        return
    if len(seen) == 1:
        yield f"None of the {many} deposits can be judged." if verdict == "cannot tell" else f"All {many} deposits {_COUNTED[verdict][1]}."
        return
    said = [f"{seen[verdict]} {_COUNTED[verdict][seen[verdict] > 1]}" for verdict in ORDER if seen[verdict]]
    yield f"Of {many} deposits, {_listed(said)}."


def _listed(said: list[str]) -> str:
    """`1 is gone, 2 are smaller and 1 shows no change`."""
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _open(change: Change) -> Iterator[str]:
    """What cannot be told, grouped by the reason."""
    reasons: dict[str, list[str]] = {}
    for number, d in enumerate(change.deposits, 1):
        if d.verdict in ("cannot tell", "not covered") and d.why != change.total.why:
            reasons.setdefault(d.why, []).append(str(number))
    for why, numbers in reasons.items():
        more = [f"{len(numbers) - 8} more"] if len(numbers) > 8 else []
        said = f"Number {numbers[0]} cannot" if len(numbers) == 1 else f"Each of numbers {_listed([*numbers[:8], *more])} cannot"
        yield f"{said} be judged: {why}."


def told_by(thing: object) -> Measured | None:
    """The first measure that could be compared, mass before volume before Agatston; none where all are refused."""
    return next((m for m in MEASURES if isinstance(getattr(thing, m.field), Difference)), None)


def most_known(*changes: Change) -> Measured:
    """The measure that could be compared for the most deposits; mass before volume before Agatston where equal."""
    deposits = [d for change in changes for d in change.deposits]
    return max(MEASURES, key=lambda m: sum(isinstance(getattr(d, m.field), Difference) for d in deposits))


def reason_of(differed: Differed) -> str:
    """Why there is no number; empty where there is one."""
    return differed.reason if isinstance(differed, Refusal) else ""


def went(d: Difference, unit: str) -> str:
    """`from 22.0 to 13.0 mg: 9.0 mg less (95 % interval 11.2 less to 6.8 less)`."""
    reach = f" (95 % interval {less_or_more(d.low, d)} to {less_or_more(d.high, d)})" if d.low < d.high else ""
    return f"from {there(d.before, d)} to {there(d.after, d)} {unit}: {less_or_more(d.change, d, f' {unit}')}{reach}"


def less_or_more(value: float, of: Difference, unit: str = "") -> str:
    """A difference in words: `9.0 mg less`, `1.2 mg more`, `no difference`."""
    if not float(amount(value, of)):
        return "no difference"
    return f"{amount(abs(value), of)}{unit} {'less' if value < 0 else 'more'}"


def amount(value: float, of: Difference) -> str:
    """A number with as many digits as its row carries; see `digits`."""
    return f"{value:.{digits(of)}f}"


def digits(of: Difference | SeenMeasure) -> int:
    """Three of the larger of before and after; one more where the rounded numbers would not add up for the reader."""
    largest = max(abs(of.before), abs(of.after))
    few = 0 if largest >= 100 else 1 if largest >= 10 else 2
    before, after, change = (round(x, few) for x in (of.before, of.after, of.change))
    adds_up = abs(after - before - change) < 0.5 * 10**-few or min(before, after) < 0
    return few if adds_up else few + 1


def there(value: float, of: Difference) -> str:
    """What lies there before or after: as `amount`, and nothing where noise weighs less than nothing."""
    return amount(max(0.0, value), of)


def ids(d: DepositChange) -> str:
    """The ids in both measurements: `3 -> 4`, `6+7 -> 6`, `3 -> none`."""
    before, after = ("none" if part is None else "+".join(map(str, part)) for part in (d.baseline, d.followup))
    return f"{before} -> {after}"


def by_interest(change: Change) -> list[tuple[int, DepositChange]]:
    """Deposits with their numbers, what changed first."""
    return sorted(enumerate(change.deposits, 1), key=lambda row: (ORDER.index(row[1].verdict), row[0]))
