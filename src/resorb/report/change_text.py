"""A change as plain text: plain words, one line a deposit, the total, what differs between the scans, and the published rules."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ..terms.assessment import Refusal
from ..terms.change import Change, DepositChange, Differed, Difference, RuleSays
from .change_words import MEASURES, amount, headline, ids, in_plain_words, there

_WIDTH = 110


def change_text(change: Change) -> str:
    """The whole answer for a terminal."""
    lines = [f"{headline(change)}: {change.total.verdict}", *_wrap(" ".join(in_plain_words(change))), ""]
    lines += [*_table(change), "", *_reasons(change), *_pair(change)]
    lines += [f"  {rule_says(rule)}" for rule in change.total.rules]
    lines += [line for said in change.warnings for line in _wrap(f"warning: {said}")]
    lines += ["", change.notice]
    return "\n".join(lines) + "\n"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _table(change: Change) -> list[str]:
    head = ["no", "verdict", "ids", "site", *(f"{m.name} {m.unit}: change [95 %], shows from" for m in MEASURES), "centre x, y, z (LPS mm)"]
    rows = [
        [str(n), d.verdict, ids(d), d.site or "-", *(cell(getattr(d, m.field)) for m in MEASURES), _place(d)]
        for n, d in enumerate(change.deposits, 1)
    ]  # fmt: skip
    total = change.total
    count = f"{total.baseline_deposits} -> {total.followup_deposits}"
    rows.append(["", total.verdict, count, "total", *(cell(getattr(total, m.field)) for m in MEASURES), ""])
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]]


def _place(d: DepositChange) -> str:
    return ", ".join(f"{c:.1f}" for c in d.centroid_mm)


def cell(d: Differed) -> str:
    """`22.0 -> 13.0: -9.0 [-11.2, -6.8], 3.3`, or a dash where it is refused (the reason is told below the table)."""
    if isinstance(d, Refusal):
        return "-"
    return f"{there(d.before, d)} -> {there(d.after, d)}: {reach(d)}, {amount(d.detectable, d)}"


def reach(d: Difference) -> str:
    """The change with its interval: `-9.0 [-11.2, -6.8]`."""
    low, change, high = (
        f"{'' if not float(said := amount(abs(x), d)) else '-' if x < 0 else '+'}{said}" for x in (d.low, d.change, d.high)
    )
    return f"{change} [{low}, {high}]"


def _reasons(change: Change) -> Iterator[str]:
    """Why each verdict; and each reason for a dash, once."""
    alike: dict[str, list[str]] = {}
    for number, d in enumerate(change.deposits, 1):
        alike.setdefault(f"{d.verdict}, {d.why}", []).append(str(number))
    for said, numbers in alike.items():
        yield from _wrap(f"{', '.join(numbers)}: {said}")
    found: dict[str, list[str]] = {}
    rows = [*((str(n), d) for n, d in enumerate(change.deposits, 1)), ("total", change.total)]
    for name, row in rows:
        for m in MEASURES:
            differed = getattr(row, m.field)
            if isinstance(differed, Refusal):
                found.setdefault(differed.reason, []).append(f"{m.name} of {name}")
    for reason, what in found.items():
        yield from _wrap(f"cannot say {what[0]}{f' and {len(what) - 1} more' if len(what) > 1 else ''}: {reason}")


def _pair(change: Change) -> Iterator[str]:
    """How the scans were laid on each other, and in what they differ."""
    yield from _wrap("alignment: " + "; ".join(alignment_facts(change)))
    for d in change.comparable:
        source = f" [{', '.join(d.source)}]" if d.source else ""
        yield from _wrap(f"differs in {d.what} ({d.baseline} before, {d.followup} after; {d.effect}): {d.says}{source}")


def alignment_facts(change: Change) -> list[str]:
    """What is known of the alignment, in words."""
    a = change.alignment
    if a.failed:
        return [f"failed: {a.failed}"]
    facts = [a.how]
    facts += [] if a.error_mm is None else [f"off by up to {a.error_mm:.1f} mm at the deposits (95th percentile, estimated)"]
    facts += [] if a.displacement_mm is None else [f"moved by {a.displacement_mm:.0f} mm"]
    facts += [] if a.rotation_degrees is None else [f"turned by {a.rotation_degrees:.0f} degrees"]
    return facts + ([] if a.overlap_percent is None else [f"the later scan shows {a.overlap_percent:.0f} % of the earlier one"])


def rule_says(rule: RuleSays) -> str:
    """What a published rule says of this pair."""
    applies = f"; {rule.applies}" if rule.applies else ""
    return f"published rule, {rule.name}: {rule_words(rule)}{applies} [{rule.source}]"


def rule_words(rule: RuleSays) -> str:
    """The change beside what the rule holds it against, and what follows."""
    if rule.tells == "usual":
        usual = f"{rule.change:+.3g}, where two scans of something unchanged usually lie {rule.limit:.3g} apart"
        return f"{usual}; no limit was published, so it calls nothing a change"
    verdict = "exceeded: it calls this a change" if rule.exceeded else "not exceeded: it calls this no change"
    return f"{rule.change:+.3g} against a limit of {rule.limit:.3g}, {verdict}"
