"""What two scans showed, beside what the evidence expects: the outcome, the time, the pace and the next scan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

import resorb
from resorb.consult import assess
from resorb.evidence import library
from resorb.report import to_html, to_text
from resorb.terms.assessment import Assessment, Refusal, Seen
from resorb.terms.change import Change, Difference
from resorb.terms.verdict import Verdict
from tests.unit.consult.toy import case, kind, row, shelf
from tests.unit.report import made

SHELF = library()


def total(verdict: str, before: float, after: float, months: float | None = 12.0, sd: float = 1.0) -> Change:
    """A change of one deposit whose mass is known to within `sd` mg."""
    mass = Difference(before, after, after - before, after - before - 1.96 * sd, after - before + 1.96 * sd, 2.5 * sd)
    change = made.change(made.pair(1, verdict, before, after), verdict=verdict, months=months)
    none = Refusal("agatston", "not at this spacing")
    return replace(change, total=replace(change.total, mass_mg=mass, volume_mm3=none, agatston=none))


def toy(change: Change, *rows: dict[str, Any], done: list[dict[str, Any]] | None = None, **more: Any) -> Assessment:
    shelf_now = shelf(kind(outlook=list(rows), **more))
    given: dict[str, Any] = {"site": "tendon"} | ({"done": done} if done else {})
    return assess(case(shelf_now, **given).with_change(change), shelf_now)


def seen_of(said: Assessment) -> Seen:
    assert said.seen is not None
    return said.seen


def test_without_scans_nothing_is_seen_and_the_hash_stays() -> None:
    read = resorb.read_case({"site": "shoulder", "age": 48})
    assert resorb.assess(read).seen is None
    changed = read.with_change(total("shrank", 40, 20))
    assert changed.digest not in (read.digest, read.with_change(total("shrank", 40, 21)).digest)
    assert changed.digest == read.with_change(total("shrank", 40, 20)).digest
    assert resorb.assess(changed).versions.case == changed.digest


def test_the_row_of_the_same_outcome_nearest_in_time_stands_beside() -> None:
    rows = [
        row(10, 100, "s1", by="3 months"),
        row(40, 100, "s2", by="14 months"),
        row(90, 100, "s3", by="5 years"),
        row(7, 100, "s4", outcome="grew"),
    ]
    found = seen_of(toy(total("resolved", 40, 0), *rows))
    assert [(e.studies[0].source, e.estimate) for e in found.expected] == [("s2", pytest.approx(40))]
    assert not [r for r in found.cannot_say if r.about == "what was to be expected"]


def test_what_was_done_comes_first_and_what_was_not_is_left_out() -> None:
    rows = [row(30, 100, "s1"), row(60, 100, "s2", course="needle_lavage"), row(50, 100, "s3", course="surgery")]
    found = seen_of(toy(total("resolved", 40, 0), *rows, done=[{"option": "needle_lavage"}]))
    assert [e.course for e in found.expected] == ["needle_lavage", "untreated"]


def test_where_no_study_counted_it_that_is_said() -> None:
    found = seen_of(toy(total("grew", 40, 60), row(30, 100)))
    assert found.expected == ()
    assert any("no study read here counted" in r.reason for r in found.cannot_say)


def test_the_meaning_for_the_kind_comes_from_its_card() -> None:
    means = [{"verdict": ["shrank"], "says": "Smaller means better here.", "source": "s1"},
             {"verdict": "shrank", "says": "Only in the heel.", "source": "s2", "when": [{"site": "foot"}]}]  # fmt: skip
    said = toy(total("shrank", 40, 20), on_scans=means)
    told = [s.says for s in seen_of(said).means]
    assert told[0] == "Smaller means better here."
    assert "Only in the heel." not in told
    assert "s1" in {s.id for s in said.sources}
    assert seen_of(toy(total("grew", 40, 60), on_scans=means)).means[0].says not in ("Smaller means better here.", "Only in the heel.")


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_has_its_words_on_a_card(verdict: str) -> None:
    assert verdict in SHELF.reasoning.seen_as
    said = toy(total(verdict, 40, 30))
    assert seen_of(said).means
    assert seen_of(said).verdict == verdict
    assert "Two scans, 12 months apart, show:" in said.plain.text
    assert f"What two scans showed, 12 months apart: {verdict}" in to_text(said)
    assert "<h3>What it means</h3>" in to_html(said)


def test_the_pace_is_by_year_and_share() -> None:
    (mass,) = seen_of(toy(total("shrank", 40, 34, months=6))).measures
    assert mass.per_year == pytest.approx(-12)
    assert mass.per_year_percent == pytest.approx(-30)
    assert seen_of(toy(total("resolved", 40, 0))).measures[0].per_year is None  # gone: a pace would be too small


def test_the_next_scan_follows_from_the_pace_and_what_would_show() -> None:
    found = seen_of(toy(total("shrank", 40, 34, months=6)))
    assert found.next_scan is not None
    assert found.next_scan.after_months == pytest.approx(12 * 2.5 / 12)  # 2.5 mg show, 12 mg a year go
    assert "radiation" in found.next_scan.says


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (total("resolved", 40, 0), "nothing is left"),
        (total("new", 0, 40), "one point has no pace"),
        (total("shrank", 40, 20, months=None), "not known"),
        (total("shrank", 9, 2), "only if any is left"),
        (total("unchanged", 40, 41), "a change of 2.5 mg or more would show"),
    ],
)
def test_where_no_pace_can_be_had_there_is_a_reason(change: Change, reason: str) -> None:
    said = toy(change)
    assert seen_of(said).next_scan is None
    assert any(reason in r.reason for r in seen_of(said).cannot_say if r.about == "the next scan")
    assert {r.reason for r in seen_of(said).cannot_say} <= {r.reason for r in said.cannot_say}


def test_where_no_change_shows_the_pace_of_a_study_tells_when_it_could() -> None:
    effect = {"measure": "growth", "value": 10, "unit": "% per year"}
    pace = {k: v for k, v in row(1, 2, "s5", outcome="progression_rate", course="any_course").items() if k != "counted"} | {
        "effect": effect
    }
    found = seen_of(toy(total("unchanged", 40, 41, months=6), pace))
    assert found.next_scan is not None
    assert found.next_scan.after_months == pytest.approx(12 * 2.5 / 4 - 6)  # 4 mg a year; 2.5 mg show against the first scan
    assert "s5" in found.next_scan.source


def test_scans_that_differ_are_minded_and_their_sources_told() -> None:
    said = toy(total("shrank", 40, 20))
    assert [s.says for s in seen_of(said).mind] == ["small deposits look larger in thick slices"]
    assert "hokanson_2004" in {s.id for s in said.sources}  # not on any card of this shelf: told as the scans told it


def test_growth_on_scans_raises_what_growth_raises() -> None:
    plain = {"site": "lung", "findings": ["nodule"], "age": 60}
    told = resorb.assess(resorb.read_case({**plain, "growth": "growing"}))
    seen = resorb.assess(resorb.read_case(plain).with_change(total("grew", 40, 80)))
    assert [f.id for f in seen.red_flags] == [f.id for f in told.red_flags]
    assert told.red_flags != resorb.assess(resorb.read_case(plain)).red_flags


def test_what_the_case_says_of_growth_is_not_overruled() -> None:
    given = {"site": "lung", "findings": ["nodule"], "age": 60, "growth": "stable"}
    assert (
        resorb.assess(resorb.read_case(given).with_change(total("grew", 40, 80))).red_flags
        == resorb.assess(resorb.read_case(given)).red_flags
    )


def test_counts_of_verdicts_are_kept() -> None:
    assert sum(seen_of(toy(made.change())).verdicts.values()) == 9
