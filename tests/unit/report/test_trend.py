"""A series: the line through the totals, its verdict, and how it is written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("numpy")
import numpy as np

from resorb.followup.trend import trend
from resorb.report import to_html, to_json, to_text
from resorb.terms.assessment import Refusal
from resorb.terms.change import Change, Difference
from resorb.terms.errors import UserError
from tests.unit.report import made


def _pair(months: float | None, before: float, after: float, sd: float = 1.0) -> Change:
    mass = Difference(before, after, after - before, after - before - 1.96 * sd, after - before + 1.96 * sd, 2.3 * sd)
    change = made.change(made.pair(1, "unchanged", before, after), verdict="unchanged", months=months)
    return replace(change, total=replace(change.total, mass_mg=mass))


@pytest.mark.parametrize(("masses", "course"), [((36, 32, 28), "falling"), ((40.5, 39.8, 40.2), "steady"), ((44, 48, 52), "rising")])
def test_the_course_of_a_total(masses: tuple[float, ...], course: str) -> None:
    made_now = trend([_pair(12.0 * n, 40, mass) for n, mass in enumerate(masses, 1)])
    assert made_now.course == course
    assert made_now.straight
    assert made_now.annual_mass_mg.change == pytest.approx((masses[-1] - 40) / 3, abs=0.3)  # type: ignore[union-attr]
    assert [s.months for s in made_now.stops] == [0, 12, 24, 36]


def test_order_does_not_matter() -> None:
    pairs = [_pair(12, 40, 36), _pair(24, 40, 30), _pair(36, 40, 28)]
    assert trend(pairs).to_dict() == trend(pairs[::-1]).to_dict()


def test_a_pace_that_changed_is_noticed() -> None:
    assert not trend([_pair(12, 40, 20), _pair(24, 40, 20), _pair(36, 40, 20)]).straight


def test_without_change_one_in_twenty_is_called_a_course() -> None:
    """The first scan's error is shared by all pairs."""
    random, called = np.random.default_rng(4), 0
    for _ in range(400):
        seen = 40 + random.normal(0, 2**-0.5, 4)
        called += trend([_pair(12.0 * n, seen[0], seen[n]) for n in (1, 2, 3)]).course != "steady"
    assert 0.02 < called / 400 < 0.09


def test_what_cannot_be_told() -> None:
    undated = trend([_pair(None, 40, 36), _pair(None, 40, 30)])
    assert undated.course == "cannot tell"
    assert "not dated" in undated.why
    none = Refusal("mass_mg", "no factor")
    gone = trend([replace(c, total=replace(c.total, mass_mg=none)) for c in (_pair(12, 40, 36), _pair(24, 40, 30))])
    assert gone.course == "cannot tell"
    for one in (undated, gone):
        assert "cannot tell" in to_text(one)
        assert "cannot tell" in to_html(one)
    other = replace(_pair(24, 40, 30), baseline=made.scan("c" * 32))
    with pytest.raises(UserError, match="one first scan"):
        trend([_pair(12, 40, 36), other])


def test_a_series_is_written_in_three_forms() -> None:
    falling = trend([_pair(12, 40, 36), _pair(24, 40, 30)])
    page, text, said = to_html(falling), to_text(falling), json.loads(to_json(falling))
    assert text.startswith("Less and less calcium: 3 scans over 2 years: falling")
    assert "after 12 months" in text
    for outside in ("<script", "<link", 'src="http'):
        assert outside not in page
    assert page.count('class="mark"') == 3
    assert page.count("Not a medical device") == text.count("Not a medical device") == 1
    assert said["course"] == "falling"
    assert said["versions"]["seal"]
    assert len(said["changes"]) == 2
