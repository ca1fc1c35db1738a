"""A change as page, text and JSON: every verdict is seen by colour and by shape, every number and reason is told."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import get_args

import pytest

from resorb.report import to_html, to_json, to_text
from resorb.report.change_pictures import before_against_after, ticks, timeline
from resorb.report.change_words import HEADLINES, MEASURES, in_plain_words, went
from resorb.report.verdict_marks import css, mark
from resorb.terms.assessment import Refusal
from resorb.terms.change import Change, Difference, Verdict
from tests.unit.report import made

ALL = made.change()
NONE = Refusal("mass_mg", "no factor for 100 kV")
PICTURES = tuple(made.picture(name) for name in ("mip-before", "mip-after", "before-2", "after-2", "before-3", "after-3"))


def points(svg: str) -> dict[int, tuple[float, float]]:
    """Where each numbered mark stands in a plot."""
    marks = re.findall(r'<g class="v [^"]*" transform="translate\(([\d.]+) ([\d.]+)\)">.*?</g><text class="number"[^>]*>(\d+)<', svg)
    return {int(n): (float(x), float(y)) for x, y, n in marks}


def test_every_verdict_has_its_own_shape_colour_and_words() -> None:
    shapes = {re.sub(r"<title>.*?</title>|class=\"v [^\"]*\"", "", mark(v, 0, 0)) for v in get_args(Verdict)}
    assert len(shapes) == len(get_args(Verdict)) == len(HEADLINES)
    sheet = to_html(ALL).partition("<style>")[2]
    assert all(f".{css(v)}" in sheet for v in get_args(Verdict))


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_can_be_that_of_the_whole(verdict: str) -> None:
    change = made.change(verdict=verdict)
    assert HEADLINES[verdict] in to_html(change).partition("<h1>")[2].partition("</h1>")[0]
    assert to_text(change).splitlines()[0].endswith(verdict)


def test_the_page_needs_nothing_else_and_says_once_what_it_is() -> None:
    page = to_html(ALL, PICTURES)
    for outside in ("<script", "<link", 'src="http', "@import", "url("):
        assert outside not in page
    assert page.count("Not a medical device") == 1
    assert page.count("data:image/png;base64,") == 6
    assert 'name="viewport"' in page
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(svg)


def test_the_page_tells_everything_the_change_holds() -> None:
    page = to_html(ALL, PICTURES)
    told = [d.why for d in ALL.deposits] + [ALL.total.why, *ALL.warnings, ALL.comparable[0].says, ALL.sources[0].citation]
    told += [
        "the place was not scanned again",
        "rigid, refined",
        "up to 0.7 mm",
        "moved by 12 mm",
        "shows 93 %",
        "Square root volume",
        "6+7 → 6",
    ]
    assert [said for said in told if said not in page] == []
    assert page.count("shows from") == 3 * 8 + 3


def test_deposits_are_shown_before_and_after_with_both_outlines() -> None:
    part = to_html(ALL, PICTURES).partition('<div class="pairs">')[2].partition("</section>")[0]
    assert [int(n) for n in re.findall(r"</svg> (\d+): ", part)] == [3, 2]  # gone first, then smaller
    assert part.count("<img") == 4
    assert "before: caption of before-2" in part
    assert "2 of 9 are shown" in part


def test_marks_on_the_projection_carry_the_verdict_of_their_deposit() -> None:
    part = to_html(ALL, PICTURES).partition("<h2>Where</h2>")[2].partition("</section>")[0]
    assert part.count('class="v v-unchanged"') == part.count('class="v v-shrank"') == 2


def test_the_plot_places_each_deposit_by_before_and_after() -> None:
    drawn = points(before_against_after(ALL, MEASURES[0]))
    assert sorted(drawn) == [1, 2, 3, 4, 5, 6, 7, 9]  # 8 has no mass
    (x0, y0), (x1, y1) = drawn[5], drawn[3]
    assert x0 < x1 < drawn[4][0] < drawn[2][0] < drawn[1][0]  # 0, 4.2, 8, 22, 40 mg before
    assert y1 > y0 > drawn[4][1] > drawn[1][1]  # 0, 6, 14, 41 mg after; up is more
    assert (drawn[1][0] - x0) / (drawn[2][0] - x0) == pytest.approx((40 / 22) ** 0.5, rel=0.01)


def test_inside_the_band_lie_those_within_what_shows() -> None:
    svg = before_against_after(ALL, MEASURES[0])
    bars = {
        float(x): (float(a), float(b)) for x, a, b in re.findall(r'bar-of-band" x1="([\d.]+)" x2="[\d.]+" y1="([\d.]+)" y2="([\d.]+)"', svg)
    }
    for number, (x, y) in points(svg).items():
        top, bottom = bars[x]
        d = ALL.deposits[number - 1].mass_mg
        assert (top <= y <= bottom) == (abs(d.change) <= d.detectable)  # type: ignore[union-attr]


def test_without_a_mass_the_volume_is_drawn() -> None:
    deposits = tuple(replace(d, mass_mg=NONE) for d in made.all_verdicts())
    change = replace(ALL, deposits=deposits, total=replace(ALL.total, mass_mg=NONE))
    page = to_html(change)
    assert "<h2>Volume, before against after</h2>" in page
    assert "volume of all deposits" in in_plain_words(change)[0]
    assert "no factor for 100 kV" in to_text(change)


def test_nothing_to_compare_is_still_a_page() -> None:
    total = replace(
        ALL.total, verdict="cannot tell", why="no overlap", mass_mg=NONE, volume_mm3=NONE, agatston=NONE, annual_mass_mg=NONE, rules=()
    )
    failed = replace(ALL.alignment, failed="nothing in common was found")
    change = replace(ALL, deposits=(), total=total, comparable=(), sources=(), warnings=(), alignment=failed, months_between=None)
    page, text = to_html(change), to_text(change)
    for said in (
        "nothing in common was found",
        "No total can be compared: no factor for 100 kV",
        "No deposit was found that could be judged",
        "not dated",
    ):
        assert said in page
    assert "failed: nothing in common was found" in text
    assert "nan" not in page.lower().replace("not dated", "")


def test_a_single_deposit_that_is_gone_is_drawn() -> None:
    assert points(before_against_after(made.change(made.pair(1, "resolved", 4.0, 0.0), verdict="resolved"), MEASURES[0])) != {}


def test_the_time_between_is_drawn_or_said_to_be_unknown() -> None:
    assert "after 12 months" in timeline(ALL, MEASURES[0])
    undated = made.change(months=None)
    assert timeline(undated, MEASURES[0]) == ""
    assert "No yearly pace: no scan dates." in to_html(undated)


@pytest.mark.parametrize("most", [0.003, 0.9, 1.0, 7.7, 48.3, 1234.0])
def test_ticks_are_few_and_inside(most: float) -> None:
    assert 2 <= len(ticks(most)) <= 8
    assert max(ticks(most)) < most


def test_plain_words_count_every_deposit_once() -> None:
    said = next(s for s in in_plain_words(ALL) if s.startswith("Of 9 deposits"))
    assert sum(map(int, re.findall(r"(\d+) (?:is|are|has|have|shows?|lies?|cannot)", said))) == 9
    alone = in_plain_words(made.change(made.pair(1, "cannot tell", 1.0, 1.1), made.pair(2, "cannot tell", 1.0, 1.1), verdict="cannot tell"))
    assert "None of the 2 deposits can be judged." in alone
    assert "The same scan twice" in to_html(replace(ALL, followup=ALL.baseline))


def test_noise_below_nothing_is_drawn_and_said_as_nothing() -> None:
    """Weighed at its place in the first scan, a new deposit may come out below zero."""
    change = made.change(made.pair(1, "new", -0.3, 7.0), made.pair(2, "shrank", 9.0, 4.0), made.pair(3, "resolved", 6.0, -0.2))
    assert sorted(points(before_against_after(change, MEASURES[0]))) == [1, 2, 3]
    page, text = to_html(change), to_text(change)
    assert "0.00 → 7.00" in page
    assert "6.00 -> 0.00" in text
    assert "-0.30" not in page + text
    assert "A weight below nothing" in page
    assert "A weight below nothing" not in to_html(ALL)
    assert "does not prove" in " ".join(in_plain_words(made.change(verdict="unchanged")))


def test_text_has_a_line_for_every_deposit_and_the_total() -> None:
    text = to_text(ALL)
    assert "2   shrank       2 -> 2     aorta  22.0 -> 13.0: -9.0 [-11.2, -6.8], 3.3" in text
    assert text.count("Not a medical device") == 1
    assert "9 -> 9     total" in text
    assert "exceeded: it calls this a change" in text


def test_json_keeps_the_contract() -> None:
    said = json.loads(to_json(ALL))
    assert set(said) >= {"deposits", "total", "alignment", "comparable", "warnings", "versions"}
    for d in said["deposits"]:
        assert set(d) >= {"baseline", "followup", "verdict", "centroid_mm", "mass_mg", "volume_mm3", "agatston"}
        for name in ("mass_mg", "volume_mm3", "agatston"):
            assert set(d[name]) in ({"before", "after", "change", "low", "high", "detectable"}, {"refused"})
    assert said["deposits"][2]["followup"] is None
    assert said["total"]["verdict"] == "shrank"
    assert said["deposits"][7]["mass_mg"] == {"refused": "the place was not scanned again"}


def test_what_headers_say_is_escaped() -> None:
    evil = replace(ALL, baseline=made.scan(description="<script>x</script>"), warnings=("<script>",))
    assert "<script" not in to_html(evil)


def _every_verdict(change: Change) -> set[str]:
    return {d.verdict for d in change.deposits}


def test_the_made_change_covers_every_verdict() -> None:
    assert _every_verdict(ALL) == set(get_args(Verdict))


@pytest.mark.parametrize(
    ("before", "after", "said"), [(139.4, 110.6, "from 139.4 to 110.6 mg: 28.8 mg less"), (140.0, 110.0, "from 140 to 110 mg: 30 mg less")]
)
def test_rounded_numbers_add_up_for_the_reader(before: float, after: float, said: str) -> None:
    assert went(Difference(before, after, after - before, after - before, after - before, 1.0), "mg") == said
