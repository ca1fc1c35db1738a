"""A measurement or a change as the page shows it: rows that lead to the deposit, pictures of the report, facts for the form."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...evidence import library
from ...report.change_pictures import before_against_after, timeline
from ...report.change_words import MEASURES, by_interest, headline, in_plain_words, most_known, there, told_by
from ...report.measurement_text import COLUMNS, cell
from ...report.verdict_marks import badge
from ...terms.assessment import Refusal
from ...terms.change import Change
from ...terms.errors import UserError
from ...terms.kept import kept
from ...terms.measurement import DepositMeasure, Measure, Measured, Measurement, Point, ScanFacts, SiteMeasure
from .rendering import render

_BY_CT = {"ct": "present"}
_COURSE = {"grew": "growing", "shrank": "shrinking", "unchanged": "stable", "resolved": "shrinking"}  # as the form's `growth` takes it


def result_html(text: str, code: str) -> str:
    """What `measure` or `compare` kept as JSON, as a fragment. Raises UserError for anything else."""
    result = kept(text, "result")
    if isinstance(result, Measurement):
        return _measurement_html(result, code)
    if isinstance(result, Change):
        return _change_html(result, code)
    raise UserError("result: found a trend; expected a measurement or a change, which are what this page shows")


def _measurement_html(m: Measurement, code: str) -> str:
    sums = [(s, site_facts(s)) for s in ([*m.sites, m.total] if len(m.sites) > 1 else [m.total])]
    return render("measurement.html", code, m=m, columns=COLUMNS, cell=cell, sums=sums, rows=[(d, deposit_facts(d)) for d in m.deposits])


def _change_html(c: Change, code: str) -> str:
    plotted = most_known(c)
    return render(
        "change.html", code, c=c, headline=headline(c), words=in_plain_words(c), deposits=by_interest(c), measures=MEASURES,
        plotted=plotted, before=partial(slice_of, c.baseline), after=partial(slice_of, c.followup), facts=change_facts(c),
        plot=before_against_after(c, plotted), timeline=timeline(c, told_by(c.total) or MEASURES[0]), badge=badge, there=there,
        numbers={s.id: n for n, s in enumerate(c.sources, 1)},
    )  # fmt: skip


def deposit_facts(d: DepositMeasure) -> dict[str, Any]:
    """What a measured deposit says of a case: where it is, how large and how dense, and that CT saw it."""
    size, density = _amount(d.diameter_mm, "mm", 1), _amount(d.mean_hu, "HU", 0)
    return _said({"site": _site(d.site), "size": size, "density": density, "modality": _BY_CT})


def site_facts(s: SiteMeasure) -> dict[str, Any]:
    """What the sum of one site says of a case: the score that cards know for that site."""
    site = _site(s.site) or {}
    scores = {}
    for measure, (_, where) in library().reasoning.zero_means.items():
        if where in site and isinstance(s.agatston, Measure):
            scores[measure] = f"{s.agatston.value:.0f}"
    return _said({"site": site, "measures": scores, "modality": _BY_CT}) if scores else {}


def change_facts(c: Change) -> dict[str, Any]:
    """What a change says of a case: where the deposit is that changed most, and how the whole went."""
    word = library().spellings["finding"].get(_COURSE.get(c.total.verdict, ""))
    sites = [site for _, d in by_interest(c) if (site := _site(d.site))]
    return _said({"site": sites[0] if sites else None, "findings": {word: "present"} if word else None, "modality": _BY_CT})


def slice_of(scan: ScanFacts, place: Point) -> int:
    """The slice of a scan, counted from 0, in which a place lies. [LPS mm]"""
    step = [row[0] for row in scan.affine_lps[:3]]
    away = [at - row[3] for at, row in zip(place, scan.affine_lps[:3], strict=True)]
    along = sum(a * s for a, s in zip(away, step, strict=True)) / sum(s * s for s in step)
    return min(scan.shape[0] - 1, max(0, round(along)))


def _site(name: str | None) -> dict[str, str] | None:
    """The site card that a label's name means; none where no card has that name."""
    found = library().site_named(name)
    return None if found is None else {found: "present"}


def _amount(measured: Measured, unit: str, digits: int) -> str | None:
    return None if isinstance(measured, Refusal) else f"{measured.value:.{digits}f} {unit}"


def _said(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if value}
