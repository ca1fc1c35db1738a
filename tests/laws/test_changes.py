"""Whatever two scans may show, it is told: as text, page and JSON, by itself and in the answer of a case; and a broken file is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

import resorb
from resorb.report import to_html, to_json, to_text
from resorb.terms.assessment import Refusal
from resorb.terms.change import Change, Differed, Difference
from resorb.terms.errors import UserError
from resorb.terms.kept import kept
from resorb.terms.verdict import Verdict
from tests.unit.report import made

CASES = [
    resorb.read_case(given_case)
    for given_case in (
        {
            "site": "shoulder.supraspinatus",
            "findings": ["fluffy_margin"],
            "age": 48,
            "done": [{"option": "needle_lavage", "outcome": "shrank"}],
        },
        {"site": "coronary_artery", "findings": ["calcification"], "age": 60, "sex": "male", "measures": {"agatston": "120 AU"}},
        {"site": "kidney", "findings": ["stone"]},
        {"site": "nerve", "age": 40},
        {"site": "coronary_artery", "findings": ["no_calcification_seen"]},
    )
]
AMOUNT = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
WORDS = st.text("abc <&\"'é{}%", min_size=1, max_size=20)


@st.composite
def differences(draw: st.DrawFn) -> Differed:
    if draw(st.booleans()) and draw(st.booleans()):
        return Refusal("mass_mg", draw(WORDS))
    before, after, reach, least = draw(AMOUNT), draw(AMOUNT), draw(AMOUNT), draw(st.floats(1e-6, 1e6))
    return Difference(before, after, after - before, after - before - reach, after - before + reach, least)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    def one(number: int) -> Any:
        verdict = draw(st.sampled_from(get_args(Verdict)))
        measures = {name: draw(differences()) for name in ("mass_mg", "volume_mm3", "agatston")}
        return made.pair(number, verdict, 1.0, 1.0, why=draw(WORDS), site=draw(st.none() | WORDS), **measures)

    change = made.change(made.pair(1, "unchanged", 1.0, 1.0), verdict=draw(st.sampled_from(get_args(Verdict))))
    measures = {name: draw(differences()) for name in ("mass_mg", "volume_mm3", "agatston", "annual_mass_mg")}
    months = draw(st.none() | st.just(0.0) | st.floats(0.01, 600))
    failed = draw(st.just("") | WORDS)
    return replace(
        change, deposits=tuple(one(n) for n in range(1, draw(st.integers(0, 4)) + 1)), months_between=months,
        total=replace(change.total, why=draw(WORDS), **measures), alignment=replace(change.alignment, failed=failed),
        warnings=tuple(draw(st.lists(WORDS, max_size=2))),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(changes(), st.sampled_from(CASES))
def test_every_change_is_told_in_every_form(change: Change, case: Any) -> None:
    read = kept(to_json(change), "a.json")
    assert read.to_dict() == change.to_dict()
    assert to_text(change).count("Not a medical device") == 1
    said = resorb.assess(case.with_change(change))
    assert said.seen is not None
    assert sum(said.seen.verdicts.values()) == len(change.deposits)
    assert "What two scans showed" in to_text(said)
    for page in (to_html(change), to_html(said)):
        assert not re.search(r'="[^"]*\b(nan|inf)\b', page)
        assert "Undefined" not in page
    assert json.loads(to_json(said))["seen"]["verdict"] == change.total.verdict


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_broken_file_is_refused_and_never_a_fault(data: st.DataObject) -> None:
    text = json.dumps(made.change().to_dict())
    cut = data.draw(st.integers(0, len(text) - 1))
    more = data.draw(st.text(max_size=5))
    broken = text[:cut] + more + text[cut + data.draw(st.integers(0, 5)) :]
    try:
        read = kept(broken, "a.json")
    except UserError as error:
        assert str(error).startswith("a.json: ")
    else:
        assert read.to_dict() == made.change().to_dict()
