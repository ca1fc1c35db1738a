"""The alignment's own promises: identity, both ways, what is covered, what is refused in words, what is missing."""

import sys

import numpy as np
import pytest

from resorb.ct.phantom import Ellipsoid, Scanner, make
from resorb.ct.scan import Scan
from resorb.followup.aligning import align, handed_over, inside
from resorb.followup.bodyfit import NoRegistration, Rigid, rigid_of
from resorb.followup.cells import cells_of
from resorb.followup.field import no_field
from tests.browser import scans as uniform

TILT = np.array([[0, -1.0, 0], [1.0, 0, 0], [0, 0, 1.0]])


def plain(seed=0, shape=(24, 40, 40)):
    return make(Scanner(shape, (2.0, 1.0, 1.0)), [Ellipsoid((3.0, 2.0, 1.0), (2.0, 2.0, 2.0), 500.0)], seed)


def like(scan, hu):
    return Scan(np.asarray(hu, np.int16), scan.affine, scan.acquisition)


def test_the_same_scan_twice_is_the_identity_to_the_bit():
    scan = plain()
    made = align(scan, like(scan, scan.hu.copy()))
    points = np.random.default_rng(0).uniform(-20, 20, (50, 3))
    assert made.ok
    assert made.facts.error_mm == 0
    assert made.facts.displacement_mm == 0
    assert np.array_equal(made.to_followup(points), points)
    assert np.array_equal(made.to_baseline(points), points)
    assert not made.error_mm(points).any()


def test_one_voxel_of_difference_is_not_the_same_scan():
    scan = plain()
    hu = scan.hu.copy()
    hu[5, 5, 5] += 1
    assert align(scan, like(scan, hu)).facts.how != "the same scan twice"


def test_a_missing_library_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(NoRegistration, match=r"pip install 'resorb\[register\]'") as raised:
        align(plain(0), plain(1))
    assert raised.value.exit_code == 1


def test_the_same_scan_twice_needs_no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    assert align(plain(), plain()).ok


@pytest.mark.parametrize(
    ("followup", "says"),
    [
        (lambda scan: Scan(scan.hu[:1], scan.affine, single_slice=True), "single slice"),
        (lambda scan: Scan(scan.hu[:4], scan.affine), "8 mm deep"),
        (lambda scan: like(scan, np.full(scan.hu.shape, -1000)), "no body"),
        (lambda scan: plain(7), "too little structure|same anatomy"),
        (lambda scan: like(scan, np.random.default_rng(1).normal(0, 60, scan.hu.shape)), "too little structure|same anatomy"),
    ],
)
def test_what_cannot_be_aligned_is_told_in_words(followup, says):
    scan = plain()
    made = align(scan, followup(scan))
    assert not made.ok
    assert made.facts.error_mm is None
    assert np.isinf(made.error_mm([[0.0, 0.0, 0.0]])).all()
    import re

    assert re.search(says, made.facts.failed)


def test_covers_asks_the_other_scan_where_the_point_lies_there():
    before, after = plain(0), plain(1)
    shift = np.array([10.0, 0.0, 0.0])
    made = handed_over((before, after), lambda p: p + shift, lambda p: p - shift)
    right, left = [15.0, 0.0, 0.0], [-15.0, 0.0, 0.0]  # the fields reach 20 mm to either side
    assert made.covers([right, left], "followup").tolist() == [False, True]
    assert made.covers([right, left], "baseline").tolist() == [True, False]
    assert made.covers([left], "followup", margin_mm=14.0).tolist() == [True]
    assert made.covers([left], "followup", margin_mm=16.0).tolist() == [False]


def test_what_was_filled_in_around_a_round_field_is_not_covered():
    scan = plain()
    hu = scan.hu.copy()
    hu[:, :, :10] = -1024
    assert inside(like(scan, hu), np.array([[-17.0, 0.0, 0.0], [0.0, 0.0, 0.0]])).tolist() == [False, True]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_cells_lie_where_their_voxels_lie_however_these_are_stored(order, flip):
    scan = plain()
    hu, affine = scan.hu[:: flip[0], :: flip[1], :: flip[2]], scan.affine.copy()
    for axis in range(3):
        if flip[axis] < 0:
            affine[:3, 3] += affine[:3, axis] * (scan.hu.shape[axis] - 1)
            affine[:3, axis] *= -1
    stored = Scan(hu.transpose(order), affine[:, [*order, 3]])
    assert np.allclose(cells_of(stored).tone, cells_of(scan).tone)
    assert np.allclose(cells_of(stored).affine, cells_of(scan).affine)


def test_a_cell_is_the_mean_of_its_voxels():
    scan = Scan(np.arange(24 * 40 * 40, dtype=np.int64).reshape(24, 40, 40) % 190, np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]])
    cells = cells_of(like(scan, scan.hu), 4.0)
    assert cells.tone.shape == (6, 10, 10)
    assert cells.tone[1, 2, 3] == pytest.approx(scan.hu[4:8, 8:12, 12:16].mean())
    assert np.allclose(cells.to_lps(np.array([[0.0, 0, 0]])), [[1.5, 1.5, 1.5]])


def test_a_rigid_motion_and_a_field_lead_back_to_where_they_came_from():
    points = np.random.default_rng(3).uniform(-15, 15, (40, 3))
    rigid = Rigid(TILT, np.array([5.0, -3.0, 2.0]))
    assert np.allclose(rigid.back(rigid.there(points)), points)
    assert rigid.degrees == pytest.approx(90)
    assert np.allclose(rigid_of(points, rigid.there(points)).turn, TILT)
    field = no_field(cells_of(plain()).extent, 8.0)
    field.moves[...] = np.random.default_rng(4).normal(0, 0.4, field.moves.shape)
    assert np.abs(field.back(field.moved(points)) - points).max() < 1e-3


def test_a_body_that_is_alike_at_every_height_is_not_laid_on_another_height() -> None:
    """Its deposits changed, and each place of it fits another as well: the two scans still lie where they were made."""
    facts = align(uniform.before(), uniform.after()).facts
    assert not facts.failed
    assert facts.displacement_mm is not None
    assert facts.displacement_mm < 1
