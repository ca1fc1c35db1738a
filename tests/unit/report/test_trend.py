"""A series: the line through the totals, its verdict, and how it is written."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("numpy")
import numpy as np

import resorb
from resorb.followup.threads import series_pictures
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
    points = re.findall(
        r'<g class="v v-(?:unchanged|shrank)" transform|<circle class="mark"',
        page.partition('class="time course-of-total"')[2].partition("</svg>")[0],
    )
    assert len(points) == 3
    assert page.count("Not a medical device") == text.count("Not a medical device") == 1
    assert said["course"] == "falling"
    assert said["versions"]["seal"]
    assert len(said["changes"]) == 2


def test_a_series_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    falling = trend([_pair(12, 40, 36), _pair(24, 40, 30)])
    resorb.write(falling, tmp_path / "course.json")
    assert resorb.read_result(tmp_path / "course.json").to_dict() == falling.to_dict()
    text = (tmp_path / "course.json").read_text()
    (tmp_path / "edited.json").write_text(text.replace('"rows": [\n        [\n          1', '"rows": [\n        [\n          2', 1))
    with pytest.raises(UserError, match="found a trend that does not match its seal"):
        resorb.read_result(tmp_path / "edited.json")


def _series() -> tuple[Change, Change, Change]:
    """Of two deposits one goes, and one comes between the second scan and the third; a third one comes apart."""
    second = made.change(made.pair(1, "unchanged", 40, 39), made.pair(2, "shrank", 20, 9), made.pair(3, "unchanged", 8, 8), months=12.0)
    third = made.change(
        made.pair(1, "shrank", 41, 30, baseline=(2,), followup=(1,)),
        made.pair(2, "new", 0, 6, centroid_mm=(1.0, 2.0, 3.0)),
        made.pair(3, "unchanged", 40, 41, baseline=(1,)),
        made.pair(4, "split", 8, 8, baseline=(3,), followup=(3, 4)),
        months=24.0,
    )
    fourth = made.change(made.pair(1, "unchanged", 40, 40), made.pair(2, "new", 0, 7, centroid_mm=(2.0, 2.0, 2.0)), months=36.0)
    return second, third, fourth


def test_each_deposit_is_followed_by_its_id_or_by_its_place() -> None:
    course = trend(_series())
    assert [(t.first, t.rows) for t in course.threads] == [
        ((1,), ((1,), (3,), (1,))),
        ((2,), ((2,), (1,), ())),
        ((3,), ((3,), (4,), ())),
        (None, ((), (2,), (2,))),
    ]
    apart = made.pair(1, "merged", 9, 9, baseline=(1, 2))
    joined = trend([made.change(apart, months=12.0), _series()[0]])
    assert joined.threads[0].first == (1, 2)
    assert (joined.threads[0].rows[0], joined.threads[0].rows[1]) in (((1,), (1, 2)), ((1, 2), (1,)))


def test_a_series_is_drawn_deposit_by_deposit_with_the_pictures_of_its_pairs() -> None:
    pairs = [(change, tuple(made.picture(f"{when}-{n}") for n in (1, 2, 3) for when in ("before", "after"))) for change in _series()]
    views = tuple(made.picture(f"mip-{when}") for when in ("before", "after"))
    pairs[-1] = (pairs[-1][0], (*views, *pairs[-1][1]))
    course = trend([change for change, _ in reversed(pairs)])
    pictures = {p.name: p for p in series_pictures(course, pairs)}
    assert {"mip-first", "mip-last", "scan-0-1", "scan-3-1", "scan-2-4", "scan-3-4"} <= set(pictures)
    assert "scan-3-2" not in pictures
    assert [name for name, _, _ in pictures["mip-last"].marks] == ["1", "4"]  # the marks 1 and 2 of the last pair
    page = to_html(course, tuple(pictures.values()))
    assert page.count('class="small-course"') == 4
    assert page.count("data:image/png;base64,") == len(pictures)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(svg)
