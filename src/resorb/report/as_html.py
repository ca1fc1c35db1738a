"""An assessment as one self-contained page: no script, no outside file, readable on a phone and on paper."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..terms.assessment import Assessment, Estimate, Seen
from ..terms.time import months_in_words
from .as_text import measure_says
from .pictures import forest, icon_array, outline_path, over_time
from .timelines import Dated, over_months
from .verdict_marks import badge, mark

if TYPE_CHECKING:
    from ..terms.measurement import Picture


@lru_cache(maxsize=1)
def environment() -> Any:
    """The Jinja environment of the report room; everything is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("resorb.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["plainly"] = lambda word: str(word).replace("_", " ").replace(".", ", ")
    made.filters["first_up"] = lambda text: str(text)[:1].upper() + str(text)[1:]
    made.filters["time"] = months_in_words
    made.filters["base64"] = lambda raw: b64encode(raw).decode("ascii")
    made.filters["outlines"] = outline_path
    return made


def assessment_html(said: Assessment, pictures: tuple[Picture, ...] = ()) -> str:
    """The page, with the pictures of its two scans. Numbers and sentences are those of the assessment; nothing is worked out here."""
    first = said.kinds[0].id if said.kinds else ""
    estimates = [e for e in said.outlooks if e.kind == first]
    template = environment().get_template("assessment.html")
    return str(
        template.render(
            said=said, first=first, estimates=estimates, icons=_icons(estimates), forests=_forests(estimates), curves=_curves(estimates),
            effects=[e for e in estimates if e.effect], numbers={s.id: n for n, s in enumerate(said.sources, 1)},
            options=[o for o in said.options if o.kind == first], claims=[c for c in said.claims if c.kind == first],
            badge=badge, mark=mark, measure_says=measure_says, course=_course(said.seen),
            seen_views=[p for p in pictures if p.name.startswith("mip")], seen_tiles={p.name: p for p in pictures},
        )
    )  # fmt: skip


def _course(seen: Seen | None) -> str:
    """The first measure of two scans over the months between; empty where they are not dated."""
    if seen is None or not seen.measures or not seen.months_between:
        return ""
    m = seen.measures[0]
    rows = [Dated(0.0, m.before), Dated(seen.months_between, m.after, m.before + m.low, m.before + m.high, seen.verdict)]
    return over_months(rows, m.unit, m.detectable)


def _icons(estimates: list[Estimate]) -> list[tuple[str, Estimate]]:
    """One icon array for the nearest estimate of each of the first three outcomes."""
    found: dict[str, Estimate] = {}
    for e in estimates:
        if e.estimate is not None and e.applies in ("direct", "general"):
            found.setdefault(e.outcome, e)
    return [(icon_array(e, e.outcome_name), e) for e in list(found.values())[:3]]


def _forests(estimates: list[Estimate]) -> list[tuple[str, str]]:
    groups: dict[str, list[tuple[str, Estimate]]] = defaultdict(list)
    for e in estimates:
        groups[e.outcome_name].append((_label(e), e))
    drawn = [(outcome, forest(rows[:16])) for outcome, rows in groups.items()]
    return [(outcome, svg) for outcome, svg in drawn if svg]


def _label(e: Estimate) -> str:
    time = f", {months_in_words(e.by_months)}" if e.by_months else ""
    who = e.studies[0].short if len(e.studies) == 1 else f"{len(e.studies)} studies"
    return f"{e.course_name}{time}: {who}{_condition(e)}"


def _condition(e: Estimate) -> str:
    """What a reader must know before taking the row as theirs."""
    if e.applies == "conditional":
        unknown = [said.removeprefix("not known here: ") for said in e.like_this if said.startswith("not known here: ")]
        return f" (only if {'; '.join(unknown)})"
    matched = [said.removeprefix("matches: ") for said in e.like_this if said.startswith("matches: ")]
    return " (other people)" if e.applies == "indirect" else f" ({'; '.join(matched)})" if matched else ""


def _curves(estimates: list[Estimate]) -> list[tuple[str, str]]:
    groups: dict[tuple[str, str], list[Estimate]] = defaultdict(list)
    for e in estimates:
        if e.applies in ("direct", "general"):
            groups[e.outcome_name, e.course_name].append(e)
    labels = ((f"{outcome}, {course}", points) for (outcome, course), points in groups.items())
    return [(label, svg) for label, points in labels if (svg := over_time(points, label))]
