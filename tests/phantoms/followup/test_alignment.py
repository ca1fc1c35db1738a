"""Pairs of exact truth laid on each other: how far off at the deposits, how honest about it, and what must never be laid at all."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from resorb.ct.phantom import Ellipsoid, Scanner, draw
from resorb.ct.phantom_pairs import Plan, random_motion, random_pair
from resorb.followup.aligning import align

SMALL = Plan(height_mm=84.0, pixel_mm=(0.75, 0.8), slice_mm=(2.0, 2.6), deposits=10, changed=False)
MOVED_MM, TURNED_DEGREES = 24.0, 8.0
HARD = {
    "moved and turned far": SMALL,
    "bent and breathing": replace(SMALL, bent_mm=4.0),
    "slices of 2 mm, then 5 mm": replace(SMALL, bent_mm=2.0, slice_mm=(2.0, 2.0), followup_slice_mm=(5.0, 5.0)),
    "noise of 30 HU, deposits changed": replace(SMALL, bent_mm=2.0, noise_hu=(30.0, 30.0), changed=True),
    "40 % of the height in both": replace(SMALL, height_mm=110.0, overlap=0.4, deposits=24),
}


def far_moved(plan, first=0):
    """A pair whose person moved by at least 24 mm and turned by at least 8 degrees."""
    for seed in range(first, first + 1000):
        motion = random_motion(np.random.default_rng(seed), plan)
        turned = np.degrees(np.arccos((np.trace(motion.turn) - 1) / 2))
        if np.linalg.norm(motion.shift) > MOVED_MM and turned > TURNED_DEGREES:
            return random_pair(np.random.default_rng(seed), plan)
    raise AssertionError


@pytest.fixture(scope="module")
def pair():
    return far_moved(SMALL)


@pytest.fixture(scope="module")
def laid(pair):
    return align(pair.baseline, pair.followup)


@pytest.mark.parametrize("name", HARD)
def test_deposits_are_laid_where_they_are_and_the_error_is_known(name, request):
    pair = request.getfixturevalue("pair") if HARD[name] is SMALL else far_moved(HARD[name], 100)
    made = request.getfixturevalue("laid") if HARD[name] is SMALL else align(pair.baseline, pair.followup)
    assert made.ok, made.facts.failed
    places = np.array([d.centre_mm for d in pair.deposits if d.in_baseline and d.in_followup])
    assert len(places) >= 2
    error = np.linalg.norm(made.to_followup(places) - pair.to_followup(places), axis=1)
    assert np.median(error) < 0.4
    assert error.max() < 1.0
    assert np.mean(error <= made.error_mm(places)) >= 0.8
    assert made.error_mm(places).max() < 1.5
    assert np.abs(made.to_baseline(made.to_followup(places)) - places).max() < 1e-3


def test_the_facts_tell_how_the_person_moved(pair, laid):
    places = np.array([d.centre_mm for d in pair.deposits])
    moved = np.median(np.linalg.norm(pair.to_followup(places) - places, axis=1))
    facts = laid.facts_at(places)
    assert facts.displacement_mm == pytest.approx(moved, abs=0.5)
    assert facts.rotation_degrees == pytest.approx(np.degrees(np.arccos((np.trace(pair.motion.turn) - 1) / 2)), abs=0.5)
    assert 0.3 < facts.error_mm < 1.0
    assert facts.overlap_percent > 85


def test_the_same_pair_is_laid_the_same_to_the_bit(pair, laid):
    points = np.random.default_rng(0).uniform(-30, 30, (20, 3))
    assert np.array_equal(align(pair.baseline, pair.followup).to_followup(points), laid.to_followup(points))


def finer(scan, times):
    """The same scan with each voxel cut into smaller ones."""
    hu, affine = scan.hu, scan.affine.copy()
    for axis, n in enumerate(times):
        hu = hu.repeat(n, axis)
        affine[:3, 3] -= affine[:3, axis] * (n - 1) / n / 2
        affine[:3, axis] /= n
    return replace(scan, hu=hu, affine=affine)


def test_no_copy_of_a_volume_is_made_nor_a_mask_of_both(pair, laid):
    """All that is kept of either scan are cells of 2 mm and places on edges, however fine the voxels are."""
    scans = [finer(scan, (2, 3, 3)) for scan in (pair.baseline, pair.followup)]
    tracemalloc.start()
    made = align(*scans)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.8 * scans[0].hu.nbytes
    places = np.array([d.centre_mm for d in pair.deposits])
    assert np.abs(made.to_followup(places) - laid.to_followup(places)).max() < 0.5


def test_how_the_voxels_are_stored_changes_nothing(pair, laid):
    """A follow-up stored feet first and right to left, its affine saying so, lies where it lay."""
    scan, affine = pair.followup, pair.followup.affine.copy()
    for axis in (0, 2):
        affine[:3, 3] += affine[:3, axis] * (scan.hu.shape[axis] - 1)
        affine[:3, axis] *= -1
    made = align(pair.baseline, replace(scan, hu=scan.hu[::-1, :, ::-1], affine=affine))
    points = np.array([d.centre_mm for d in pair.deposits])
    assert np.abs(made.to_followup(points) - laid.to_followup(points)).max() < 0.25


def test_a_deposit_that_grew_to_one_side_pulls_nothing(pair):
    """Calcium that is there on one side only at the follow-up must not look like anatomy that moved."""
    middle = pair.baseline.to_lps([[(n - 1) / 2 for n in pair.baseline.hu.shape]])[0]
    place = middle + np.array([12.0, -10.0, 0.0])

    def with_deposit(side_mm, radius_mm):
        hu = pair.baseline.hu.astype(np.float32)
        s = pair.baseline.spacing
        scanner = Scanner(hu.shape, (float(s[0]), float(s[1]), float(s[2])), 0.9)
        draw(hu, Ellipsoid(tuple(place - middle + np.array([side_mm, 0, 0])), (radius_mm,) * 3, 700.0), scanner)
        hu += np.random.default_rng(int(radius_mm * 10)).normal(0, 5, hu.shape)
        return replace(pair.baseline, hu=np.rint(hu).astype(np.int16))

    made = align(with_deposit(0.0, 4.5), with_deposit(2.5, 2.0))
    assert made.ok
    assert np.linalg.norm(made.to_followup([place]) - place) < 0.25


def test_another_person_is_refused(pair):
    other = random_pair(np.random.default_rng(2), replace(SMALL, deposits=0))
    assert "same anatomy" in align(pair.baseline, other.baseline).facts.failed


@pytest.mark.parametrize("turned", [(slice(None), slice(None), slice(None, None, -1)), (slice(None, None, -1), slice(None), slice(None))])
def test_a_mirrored_body_is_refused(pair, turned):
    """The voxels run the other way and no affine says so: left is shown as right, or head as foot."""
    mirrored = replace(pair.followup, hu=np.ascontiguousarray(pair.followup.hu[turned]))
    assert "mirrored" in align(pair.baseline, mirrored).facts.failed


def test_another_part_of_the_same_person_is_refused(pair):
    """The upper and the lower third share nothing."""
    third = len(pair.baseline.hu) // 3
    lower = replace(pair.baseline, hu=pair.baseline.hu[:third])
    affine = pair.baseline.affine.copy()
    affine[:3, 3] += affine[:3, 0] * 2 * third
    upper = replace(pair.baseline, hu=pair.baseline.hu[2 * third :], affine=affine)
    assert not align(lower, upper).ok


def test_featureless_tissue_is_refused():
    plain = random_pair(np.random.default_rng(4), Plan(trunk=False, deposits=5))
    assert not align(plain.baseline, plain.followup).ok
