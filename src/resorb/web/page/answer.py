"""The answer as the page shows it: what the verb said, laid out; pictures are the report's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ... import examples
from ..._version import __version__
from ...evidence import library
from ...report.as_text import measure_says
from ...report.pictures import forest, icon_array
from ...report.verdict_marks import badge
from ...terms.assessment import Assessment, Estimate, OptionShown
from ...terms.case import Case
from .curve import curve
from .language import language
from .rendering import render, time_in_words
from .words import suggested

_APPLIES = ("direct", "general")


@dataclass(frozen=True)
class Stop:
    """One time on the horizon slider, and the results reported for it. `key` is the time in words."""

    key: str
    shown: tuple[Estimate, ...]


@dataclass(frozen=True)
class Outcome:
    """One outcome of the leading kind: its times, its curve, its studies, and who else was studied."""

    id: str
    name: str
    stops: tuple[Stop, ...]
    start: int
    curve: str
    forest: str
    rows: tuple[Estimate, ...]


def answer_view(said: Assessment, case: Case, code: str) -> dict[str, Any]:
    """What the page needs after each fact: the answer as HTML, one line to read out, the words to suggest next."""
    first = said.kinds[0].id if said.kinds else ""
    html = render(
        "answer.html", code, said=said, first=first, outcomes=outcomes_of((e for e in said.outlooks if e.kind == first), code),
        numbers={s.id: n for n, s in enumerate(said.sources, 1)}, options=[o for o in said.options if o.kind == first],
        others=_others(said, first), claims=[c for c in said.claims if c.kind == first], icon=icon_array,
        given=_given(case, code), quantity=library().quantities.get, badge=badge, measure_says=measure_says,
    )  # fmt: skip
    return {"html": html, "said": _line(said, code), "suggest": suggested(said, case), "first": first}


def _line(said: Assessment, code: str) -> str:
    """One line for a screen reader and for the bar on a phone."""
    spoken = language(code)
    flags = [f"{spoken.gettext(f.urgency)}: {f.name}" for f in said.red_flags]
    if said.kinds:
        name = spoken.name(said.kinds[0].name)
        return "; ".join([*flags, f"{name[:1].upper()}{name[1:]}, {spoken.gettext(said.kinds[0].fit + ' fit')}"])
    return "; ".join([*flags, spoken.gettext("No calcification seen") if said.absence else spoken.gettext("None of the known kinds fits")])


def _given(case: Case, code: str) -> list[tuple[str, str]]:
    """What the answer rests on, for paper: each fact by name, and `yes`, `no`, `not known` or its value as it was written."""
    known, spoken = library(), language(code)
    words = {True: spoken.gettext("yes"), False: spoken.gettext("no"), None: spoken.gettext("not known")}
    facts = [(spoken.name(known.words[f.word].name), words[f.present]) for f in case.facts if f.word in known.words]
    return [*facts, *((spoken.name(known.quantities[r.quantity].name), r.written or r.level or "") for r in case.readings)]


def _others(said: Assessment, first: str) -> list[tuple[str, list[OptionShown]]]:
    """The options of the other kinds that fit, kind by kind."""
    names = {k.id: k.name for k in said.kinds}
    kinds = dict.fromkeys(o.kind for o in said.options if o.kind != first and o.kind in names)
    return [(names[kind], [o for o in said.options if o.kind == kind]) for kind in kinds]


def outcomes_of(estimates: Iterable[Estimate], code: str, *, everyone: bool = False) -> list[Outcome]:
    """The estimates outcome by outcome; with `everyone`, also those that hold only for some people."""
    groups: dict[str, list[Estimate]] = {}
    for e in estimates:
        groups.setdefault(e.outcome, []).append(e)
    applies = (*_APPLIES, "conditional") if everyone else _APPLIES
    made = [_outcome(outcome, rows, applies, code) for outcome, rows in groups.items()]
    return sorted(made, key=lambda o: not o.stops)


def _outcome(outcome: str, rows: list[Estimate], applies: tuple[str, ...], code: str) -> Outcome:
    counted = [e for e in rows if e.estimate is not None and e.applies in applies]
    stops: dict[str, list[Estimate]] = {}
    for e in sorted(counted, key=lambda e: e.by_months or 1e9):
        stops.setdefault(time_in_words(e.by_months, code) if e.by_months else "", []).append(e)
    shown = tuple(Stop(key, tuple(_best_first(found))) for key, found in stops.items())
    drawn = curve(counted, code), forest(_labelled(rows, code))
    return Outcome(outcome, rows[0].outcome_name, shown, _start(shown, counted), *drawn, tuple(rows))


def _start(stops: tuple[Stop, ...], counted: list[Estimate]) -> int:
    """The time shown first: that of the nearest result without a treatment, one with an interval if there is one."""
    nearest = _best_first(counted)[:1]
    return next((n for n, stop in enumerate(stops) if any(e in nearest for e in stop.shown)), 0)


def _best_first(found: list[Estimate]) -> list[Estimate]:
    natural = library().reasoning.natural_courses
    return sorted(found, key=lambda e: (e.course not in natural, e.low is None, -sum(s.of or 0 for s in e.studies)))


def _labelled(rows: Iterable[Estimate], code: str) -> list[tuple[str, Estimate]]:
    spoken = language(code)
    counted = [e for e in rows if e.estimate is not None]
    return [(_label(e, spoken.name(e.course_name), spoken.gettext("other people"), code), e) for e in counted[:14]]


def _label(e: Estimate, course: str, other: str, code: str) -> str:
    time = f", {time_in_words(e.by_months, code)}" if e.by_months else ""
    who = e.studies[0].short if len(e.studies) == 1 else " + ".join(s.short for s in e.studies)
    return f"{course}{time}: {who}{f' ({other})' if e.applies == 'indirect' else ''}"


def shell_html(code: str) -> str:
    """The page before any fact is known."""
    told = [(name, examples.about(name)["title"]) for name in examples.names()]
    return render("shell.html", code, examples=told, version=__version__, notice=library().reasoning.notice)
