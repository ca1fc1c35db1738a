"""A change as an HTML page: plain words on top, each deposit before and after, the plot, the time, what differs, and the rules."""

from __future__ import annotations

from typing import NamedTuple

from ..terms.assessment import Refusal
from ..terms.change import Change, DepositChange, Difference
from ..terms.measurement import Picture, ScanFacts
from .as_html import environment
from .change_pictures import before_against_after, timeline
from .change_text import alignment_facts, reach, rule_words
from .change_words import (
    MEASURES,
    ORDER,
    Measured,
    amount,
    by_interest,
    headline,
    ids,
    in_plain_words,
    less_or_more,
    most_known,
    there,
    told_by,
    went,
)
from .verdict_marks import badge, css, mark


class Card(NamedTuple):
    """One deposit as it is shown: its number, the change, and its two pictures."""

    number: int
    d: DepositChange
    before: Picture | None
    after: Picture | None


def change_html(change: Change, pictures: tuple[Picture, ...] = ()) -> str:
    """One page that needs nothing else: pictures are inside, and nothing is fetched."""
    by_name = {p.name: p for p in pictures}
    cards = [Card(n, d, by_name.get(f"before-{n}"), by_name.get(f"after-{n}")) for n, d in by_interest(change)]
    measured = most_known(change)
    of_total = told_by(change.total) or MEASURES[0]
    made = environment().get_template("change.html")
    return str(made.render(
        c=change, headline=headline(change), words=in_plain_words(change), overviews=[p for p in pictures if p.name.startswith("mip")],
        cards=[card for card in cards if card.before or card.after], seen=[v for v in ORDER if v in {d.verdict for d in change.deposits}],
        measures=MEASURES, plot=before_against_after(change, measured), plotted=measured, unplotted=_unplotted(change, measured),
        timeline=timeline(change, of_total), annual=_annual(change), common=_common(change), below=_below_nothing(change),
        alignment=alignment_facts(change), scans=_scans(change),
        mark=mark, badge=badge, css=css, amount=amount, there=there, reach=reach, ids=ids, line=_line, reasons=_reasons,
        rule_words=rule_words, numbers={s.id: n for n, s in enumerate(change.sources, 1)},
    ))  # fmt: skip


def _line(d: DepositChange) -> str:
    """What the first measure that could be compared did, in words."""
    measured = told_by(d)
    return "" if measured is None else f"{measured.name} {went(getattr(d, measured.field), measured.unit)}"


def _reasons(row: object) -> list[tuple[str, str]]:
    """Each reason for a dash in one row, with the measures it concerns."""
    found: dict[str, list[str]] = {}
    for m in MEASURES:
        differed = getattr(row, m.field)
        if isinstance(differed, Refusal):
            found.setdefault(differed.reason, []).append(m.name)
    return [(reason, ", ".join(names)) for reason, names in found.items()]


def _unplotted(change: Change, measured: Measured) -> list[int]:
    return [n for n, d in enumerate(change.deposits, 1) if not isinstance(getattr(d, measured.field), Difference)]


def _annual(change: Change) -> str:
    """The yearly pace, or why there is none."""
    annual = change.total.annual_mass_mg
    if isinstance(annual, Refusal):
        return f"No yearly pace: {annual.reason}."
    low, high = less_or_more(annual.low, annual), less_or_more(annual.high, annual)
    if change.total.verdict in ("unchanged", "cannot tell"):
        return f"No pace shows: in a year the change lies between {low} and {high}, mg (95 % interval)."
    return f"At that pace: {less_or_more(annual.change, annual, ' mg')} in a year (95 % interval {low} to {high})."


def _below_nothing(change: Change) -> bool:
    """Whether a place was weighed below zero."""
    known = [m for d in change.deposits for m in (d.mass_mg, d.volume_mm3) if isinstance(m, Difference)]
    return any(min(m.before, m.after) < 0 for m in known)


def _common(change: Change) -> list[str]:
    """The sources that stand behind every limit, and not behind one difference or one rule."""
    cited = {s for d in change.comparable for s in d.source} | {rule.source for rule in change.total.rules}
    return [s.id for s in change.sources if s.id not in cited]


def _scans(change: Change) -> list[tuple[str, str, str]]:
    """Both acquisitions side by side."""
    before, after = (dict(_facts(scan)) for scan in (change.baseline, change.followup))
    return [(name, said, after[name]) for name, said in before.items()]


def _facts(scan: ScanFacts) -> list[tuple[str, str]]:
    spacing = " x ".join("unknown" if s is None else f"{s:.4g}" for s in scan.spacing_mm)
    return [
        ("Scan", f"{scan.description or 'no description'} ({scan.source})"),
        ("Voxels", f"{' x '.join(map(str, scan.shape))}, {spacing} mm"),
        ("Slice thickness", "not stated" if scan.thickness_mm is None else f"{scan.thickness_mm:g} mm"),
        ("Tube voltage", "not stated" if scan.kvp is None else f"{scan.kvp:g} kV"),
        ("Kernel", scan.kernel or "not stated"),
        ("Scanner", scan.manufacturer or "not stated"),
        ("Contrast", scan.contrast or "not stated"),
        ("Noise", "could not be measured" if scan.noise_hu is None else f"{scan.noise_hu:.1f} HU"),
        ("Identity", scan.identity),
    ]
