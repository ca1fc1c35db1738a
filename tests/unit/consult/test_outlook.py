"""Outlook: like with like, intervals from counts, nothing pooled in silence."""

import pytest

from resorb.consult import assess
from resorb.consult.numbers import random_effects, wilson_1927

from .toy import case, row, shelf


def estimates(*rows, **given):
    made = shelf({"outlook": list(rows)})
    return assess(case(made, **(given or {"site": "tendon"})), made).outlooks


def test_one_study_has_its_own_interval():
    (found,) = estimates(row(11, 92))
    expected = wilson_1927(11, 92)
    assert (found.estimate, found.low, found.high) == pytest.approx((100 * expected.value, 100 * expected.low, 100 * expected.high))
    assert found.how == "one study"
    assert found.by_months == 12


def test_two_alike_stand_side_by_side():
    assert len(estimates(row(11, 92, "s1"), row(30, 80, "s2"))) == 2


def test_three_alike_are_pooled_with_a_prediction_interval():
    (found,) = estimates(row(11, 92, "s1"), row(30, 80, "s2"), row(5, 60, "s3"))
    expected = random_effects(((11, 92), (30, 80), (5, 60)))
    assert found.estimate == pytest.approx(100 * expected.value)
    assert found.predicts_low < found.low
    assert [s.source for s in found.studies] == ["s1", "s2", "s3"]


@pytest.mark.parametrize(
    "other",
    [
        {"course": "watch"},
        {"outcome": "shrank"},
        {"by": "10 years"},
        {"among": [{"measure": "age", "over": "60 years"}]},
        {"counted": {"events": 5, "of": 60, "by": "12 months", "unit": "deposits"}},
    ],
)
def test_unlike_studies_are_never_pooled(other):
    found = estimates(
        row(11, 92, "s1"),
        row(30, 80, "s2"),
        {**row(5, 60, "s3"), **({} if "by" in other else other)} if "by" not in other else row(5, 60, "s3", by=other["by"]),
    )
    assert all(len(e.studies) == 1 for e in found)
    assert len(found) == 3


def test_one_source_cannot_be_pooled_with_itself():
    assert len(estimates(row(11, 92), row(30, 80), row(5, 60))) == 3


def test_a_single_patient_is_never_a_percentage():
    (found,) = estimates(row(1, 1))
    assert (found.estimate, found.low, found.high) == (None, None, None)
    assert found.how == "too few people for a percentage"
    assert found.studies[0].events == 1


def test_a_percentage_without_a_count_has_no_interval():
    bare = {**row(1, 2), "reported": {"percent": 33, "by": "3 years"}}
    del bare["counted"]
    (found,) = estimates(bare)
    assert (found.estimate, found.low, found.high) == (33, None, None)
    assert "no interval can be computed" in found.how


@pytest.mark.parametrize(
    ("findings", "applies"),
    [(["fluffy_margin"], "direct"), ([], "conditional"), ({"fluffy_margin": "absent"}, "indirect")],
)
def test_how_like_the_case_the_studied_people_were(findings, applies):
    (found,) = estimates(row(11, 13, among=[{"finding": "fluffy_margin"}]), site="tendon", findings=findings)
    assert found.applies == applies
    assert found.like_this


def test_people_who_differ_are_shown_only_where_nothing_nearer_exists():
    stratum = row(11, 13, "s2", among=[{"finding": "fluffy_margin"}])
    found = estimates(row(11, 92), stratum, site="tendon", findings={"fluffy_margin": "absent"})
    assert [e.studies[0].source for e in found] == ["s1"]


def test_the_nearest_study_comes_first():
    found = estimates(row(11, 92), row(11, 13, "s2", among=[{"finding": "fluffy_margin"}]), site="tendon", findings=["fluffy_margin"])
    assert found[0].applies == "direct"


def test_disagreement_is_said():
    found = estimates(row(5, 100, "s1"), row(80, 100, "s2"))
    assert all("disagree" in e.disagreement for e in found)


def test_a_trial_gives_the_difference_of_its_arms():
    trial = {**row(81, 100), "course": "shock_wave", "design": "randomised_trial"}
    trial["counted"] = {"events": 81, "of": 100, "against": {"course": "sham", "events": 56, "of": 100}}
    (found,) = estimates(trial)
    assert found.against.difference == pytest.approx(25)
    assert found.against.low < 25 < found.against.high


@pytest.mark.parametrize(
    ("change", "level", "reason"),
    [
        ({}, "moderate", "one study only"),
        ({"counted": {"events": 100, "of": 500, "by": "12 months"}}, "high", "design: cohort"),
        ({"design": "case_series"}, "very low", "design: case series"),
        ({"source": "hearsay"}, "low", "secondary source"),
        ({"counted": {"events": 3, "of": 10, "by": "12 months"}}, "low", "few people (10)"),
    ],
)
def test_certainty_is_derived(change, level, reason):
    (found,) = estimates({**row(11, 92), **change})
    assert found.certainty.level == level
    assert any(reason in r for r in found.certainty.reasons)
