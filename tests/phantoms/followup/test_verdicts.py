"""Verdicts on pairs of known truth."""

import numpy as np
import pytest

from resorb.ct.phantom import Ellipsoid, Scanner
from resorb.ct.phantom_pairs import Plan, random_pair
from resorb.followup import Stated, compared
from resorb.followup.aligning import handed_over
from resorb.followup.verdicts import Z_95
from resorb.terms.assessment import Refusal
from resorb.terms.change import Difference
from tests.phantoms.followup.made_pairs import AFTER, BEFORE, OWN, change, sphere, verdict_at

STEADY = [sphere(-10, -8, 4, 15), sphere(10, 9, -5, 8)]


@pytest.fixture(scope="module")
def course():
    """One that shrank, one gone, one new, one grown, two that stayed."""
    before = [*STEADY, sphere(9, -9, 6, 20), sphere(-9, 9, -6, 6), sphere(0, 0, -8, 9)]
    after = [*STEADY, sphere(9, -9, 6, 12), sphere(0, 0, -8, 15), sphere(0, 0, 9, 7)]
    return change(before, after, months=12)


@pytest.mark.parametrize(
    ("place", "verdict", "before", "after"),
    [
        ((-10, -8, 4), "unchanged", 15, 15),
        ((10, 9, -5), "unchanged", 8, 8),
        ((9, -9, 6), "shrank", 20, 12),
        ((-9, 9, -6), "resolved", 6, 0),
        ((0, 0, -8), "grew", 9, 15),
        ((0, 0, 9), "new", 0, 7),
    ],
)
def test_each_deposit_gets_its_verdict_and_its_masses(course, place, verdict, before, after):
    said, deposit = verdict_at(course, *place)
    assert said == verdict, deposit.why
    mass = deposit.mass_mg
    assert mass.before == pytest.approx(before, abs=max(0.6, 0.08 * before))
    assert mass.after == pytest.approx(after, abs=max(0.6, 0.08 * after))
    assert mass.low <= after - before <= mass.high
    assert (abs(mass.change) > mass.detectable) == (verdict != "unchanged")
    assert (deposit.baseline is None) == (verdict == "new")
    assert (deposit.followup is None) == (verdict == "resolved")


def test_the_total_adds_up_and_is_put_by_the_year(course):
    mass = course.total.mass_mg
    assert mass.change == pytest.approx(sum(d.mass_mg.change for d in course.deposits))
    assert mass.low <= -1 <= mass.high
    year = course.total.annual_mass_mg
    assert isinstance(year, Difference)
    assert (year.change, year.low) == (pytest.approx(mass.change), pytest.approx(mass.low))
    assert course.months_between == 12


def test_published_rules_stand_beside_the_verdict_with_their_sources(course):
    names = {rule.name for rule in course.total.rules}
    assert "Sevrukov 2005, Agatston" in names
    assert not any("MESA" in name for name in names)  # it needs a body mass index
    assert {rule.source for rule in course.total.rules} <= {source.id for source in course.sources}
    score = course.total.agatston
    rule = next(r for r in course.total.rules if r.name == "Sevrukov 2005, Agatston")
    assert rule.limit == pytest.approx(4.930 * score.before**0.5)
    assert rule.change == pytest.approx(score.change)


def test_one_that_splits_and_two_that_merge():
    axes = np.eye(3)
    long = Ellipsoid((0.0, 0.0, 0.0), (5.5, 1.6, 1.6), 500.0, axes)
    ends = [sphere(-4.2, 0, 0, 8), sphere(4.2, 0, 0, 8)]
    apart = change([long, *STEADY], [*ends, *STEADY])
    said, one = verdict_at(apart, 0, 0, 0)
    assert said == "split", one.why
    assert len(one.baseline) == 1
    said, _ = verdict_at(change([*ends, *STEADY], [long, *STEADY]), 0, 0, 0)
    assert said == "merged"


def test_a_threshold_that_parts_what_did_not_change_is_no_split():
    """Two that touch, found as one piece or two as the noise has it: never split, never merged."""
    touching = [sphere(-2.6, 0, 0, 7, 420.0), sphere(2.6, 0, 0, 7, 420.0)]
    for seed in range(3):
        made = change([*touching, *STEADY], [*touching, *STEADY], seed)
        assert {d.verdict for d in made.deposits} == {"unchanged"}, [d.why for d in made.deposits]


def test_neighbours_five_mm_apart_are_told_apart():
    before = [sphere(-2.6, 0, 0, 4, 600.0), sphere(2.6, 0, 0, 4, 600.0), *STEADY]
    made = change(before, [sphere(-2.6, 0, 0, 4, 600.0), *STEADY])
    assert verdict_at(made, -2.6, 0, 0, 2.0)[0] == "unchanged"
    assert verdict_at(made, 2.6, 0, 0, 2.0)[0] in ("resolved", "shrank")


def test_a_small_deposit_that_the_other_scan_cannot_see_did_not_vanish():
    loud = Scanner((28, 60, 60), (2.8, 0.75, 0.75), 1.1, 30.0)
    made = change([sphere(0, 0, 0, 0.7), *STEADY], [sphere(0, 0, 0, 0.7), *STEADY], scanners=(BEFORE, loud))
    said, one = verdict_at(made, 0, 0, 0)
    assert one.followup is None
    assert said in ("cannot tell", "unchanged"), one.why


def test_what_lies_outside_the_other_field_is_not_covered():
    short = Scanner((18, 60, 60), (1.4, 0.75, 0.75), 1.0, 15.0)
    made = change([*STEADY, sphere(0, 0, 14, 12)], [*STEADY, sphere(0, 0, 14, 12)], scanners=(BEFORE, short))
    said, one = verdict_at(made, 0, 0, 14)
    assert said == "not covered"
    assert isinstance(one.mass_mg, Refusal)
    assert "not counted: 1 deposit that cannot be weighed in both scans" in made.total.why


def test_other_slices_give_masses_and_no_scores():
    thick = Scanner((14, 60, 60), (3.0, 0.75, 0.75), 1.0, 15.0)
    made = change(STEADY, STEADY, scanners=(BEFORE, thick))
    assert {d.verdict for d in made.deposits} == {"unchanged"}
    assert all(isinstance(d.agatston, Refusal) and "slice thickness" in d.agatston.reason for d in made.deposits)
    assert made.total.rules == ()
    row = next(d for d in made.comparable if d.what == "slice thickness")
    assert (row.effect, row.baseline, row.followup) == ("said", "1.5 mm", "3 mm")
    assert set(row.source) <= {source.id for source in made.sources}


def test_of_many_unchanged_deposits_none_is_called_changed():
    random = np.random.default_rng(5)
    false, patients = 0, 3
    for seed in range(patients):
        places = [(x, y, z) for x in (-10, 10) for y in (-10, 10) for z in (-7, 7)]
        all_of_them = [sphere(*p, random.uniform(1.5, 12)) for p in places]
        made = change(all_of_them, all_of_them, seed, scanners=(BEFORE, AFTER))
        false += any(d.verdict not in ("unchanged", "cannot tell") for d in made.deposits)
    assert false <= 1  # at a chance of one in twenty for each, two of three is one in 140


def test_organs_around_a_deposit_are_no_change():
    """Thick slices and thin ones take another share of the fat and the organs around for ground."""
    pair = random_pair(np.random.default_rng([8100002, 0]), Plan(changed=False, gain_sd=0.008))
    laid = handed_over((pair.baseline, pair.followup), pair.to_followup, pair.to_baseline, 0.5)
    made = compared((pair.baseline, pair.followup), settings=OWN, stated=Stated(aligned=laid)).change
    assert {d.verdict for d in made.deposits} == {"unchanged"}
    assert len(made.deposits) >= 6
    off = [d.mass_mg.change / d.mass_mg.before for d in made.deposits]
    assert np.sqrt(np.mean(np.square(off))) < 0.04


def test_heavy_deposits_scatter_as_far_as_is_said():
    """An error counted twice would make intervals far wider than what they hold; a forgotten one, far narrower."""
    plan = Plan(trunk=False, deposits=6, mass_mg=(10, 40), close=0.0, changed=False, gain_sd=0.008)
    off = []
    for seed in range(7):
        pair = random_pair(np.random.default_rng(seed), plan)
        laid = handed_over((pair.baseline, pair.followup), pair.to_followup, pair.to_baseline, 0.5)
        made = compared((pair.baseline, pair.followup), settings=OWN, stated=Stated(aligned=laid)).change
        off += [2 * Z_95 * d.mass_mg.change / (d.mass_mg.high - d.mass_mg.low) for d in made.deposits]
    assert len(off) >= 35
    assert 0.7 < np.sqrt(np.mean(np.square(off))) < 1.35
