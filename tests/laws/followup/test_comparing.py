"""Laws of a comparison: against itself, the other way round, and in more noise."""

from dataclasses import replace

import pytest

from resorb.followup import Stated, compare, compared
from resorb.followup.aligning import handed_over
from resorb.terms.change import Difference
from tests.phantoms.followup.made_pairs import AFTER, BEFORE, OWN, SHIFT, change, scans, sphere

BEFORE_THEM = [sphere(-9, -8, 4, 15), sphere(9, -9, 6, 20), sphere(-9, 9, -6, 6), sphere(0, 0, -8, 0.6)]
AFTER_THEM = [sphere(-9, -8, 4, 15), sphere(9, -9, 6, 11), sphere(8, 8, 7, 7)]
MIRROR = {"shrank": "grew", "grew": "shrank", "resolved": "new", "new": "resolved", "split": "merged", "merged": "split"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_scan_against_itself_is_unchanged_and_says_so(seed):
    one, _ = scans(BEFORE_THEM, [], seed)
    made = compare(one, replace(one), settings=OWN)
    assert made.deposits
    assert {d.verdict for d in made.deposits} == {"unchanged"} == {made.total.verdict}
    assert all(d.mass_mg.change == d.mass_mg.low == d.mass_mg.high == 0 for d in made.deposits)
    assert "baseline and follow-up are the same scan" in made.warnings


def test_the_other_way_round_every_verdict_is_mirrored():
    pair = scans(BEFORE_THEM, AFTER_THEM)
    there = handed_over(pair, lambda x: x + SHIFT, lambda x: x - SHIFT, 0.5)
    back = handed_over(pair[::-1], lambda x: x - SHIFT, lambda x: x + SHIFT, 0.5)
    forth = compared(pair, settings=OWN, stated=Stated(aligned=there)).change
    again = compared(pair[::-1], settings=OWN, stated=Stated(aligned=back)).change
    by_ids = {(d.followup, d.baseline): d for d in again.deposits}
    assert len(forth.deposits) == len(again.deposits) == len(by_ids)
    assert {d.verdict for d in forth.deposits} >= {"unchanged", "shrank", "resolved", "new"}
    for one in forth.deposits:
        other = by_ids[one.baseline, one.followup]
        assert other.verdict == MIRROR.get(one.verdict, one.verdict)
        assert other.mass_mg.change == pytest.approx(-one.mass_mg.change, rel=0.05, abs=0.15)
    assert again.total.verdict == MIRROR.get(forth.total.verdict, forth.total.verdict)


def test_more_noise_only_widens():
    last = 0.0
    for noise in (8.0, 16.0, 30.0):
        made = change(BEFORE_THEM[:3], BEFORE_THEM[:3], 3, (replace(BEFORE, noise_hu=noise), replace(AFTER, noise_hu=noise)))
        assert isinstance(made.total.mass_mg, Difference)
        assert made.total.mass_mg.detectable > last
        last = made.total.mass_mg.detectable


def test_the_same_pair_gives_the_same_answer():
    one, other = (change(BEFORE_THEM, AFTER_THEM).to_dict() for _ in range(2))
    assert one == other
