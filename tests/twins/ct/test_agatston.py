# ruff: noqa: E402  (imports come after what may be missing; tables stay in one line)
"""The fast score against a slow, literal implementation of the definition, and hand-built corner cases."""

from __future__ import annotations

import itertools

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("pydicom")

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from resorb.ct.agatston import CONVENTIONS, agatston, deposit_table
from resorb.ct.phantom import make, random_deposit, random_scanner
from resorb.terms.measurement import Convention


def literal(hu, mask, pixel_mm2: float, spacing: float, convention: Convention) -> float:
    """Slice by slice, lesion by lesion, voxel by voxel, as the definition says."""
    total = 0.0
    for k in range(hu.shape[0]):
        open_ones = {(int(j), int(i)) for j, i in np.argwhere(mask[k]) if hu[k, j, i] >= convention.threshold_hu}
        while open_ones:
            lesion, border = set(), [open_ones.pop()]
            while border:
                j, i = border.pop()
                lesion.add((j, i))
                for dj, di in itertools.product((-1, 0, 1), repeat=2):
                    if (convention.connectivity == 8 or abs(dj) + abs(di) == 1) and (j + dj, i + di) in open_ones:
                        open_ones.remove((j + dj, i + di))
                        border.append((j + dj, i + di))
            area = len(lesion) * pixel_mm2
            if area < convention.minimum_area_mm2 - 1e-9 or len(lesion) < convention.minimum_pixels:
                continue
            peak = max(hu[k, j, i] for j, i in lesion)
            total += area * sum(peak >= step for step in convention.step_hu) * spacing / convention.slice_mm
    return total


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)
@settings(max_examples=40, deadline=None)
@given(
    hu=arrays(
        np.int16,
        st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
        elements=st.sampled_from([0, 129, 130, 199, 200, 299, 300, 399, 400, 900]),
    ),
    pixel=st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.25]),
    spacing=st.sampled_from([0.5, 2.5, 3.0]),
    masked=st.booleans(),
)
def test_any_small_volume(convention: Convention, hu, pixel: float, spacing: float, masked: bool) -> None:
    mask = (
        (np.add.outer(np.arange(hu.shape[0]), np.add.outer(np.arange(hu.shape[1]), np.arange(hu.shape[2]))) % 5 > 0)
        if masked
        else np.ones(hu.shape, bool)
    )
    expected = literal(hu, mask, pixel, spacing, convention)
    assert agatston(hu, mask, pixel, spacing, convention) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_any_phantom(seed: int) -> None:
    random = np.random.default_rng(seed)
    scanner = random_scanner(random)
    scan = make(scanner, [random_deposit(random, random.uniform(-15, 15, 3)) for _ in range(3)], seed)
    for convention in CONVENTIONS.values():
        expected = literal(scan.hu, np.ones(scan.hu.shape, bool), scan.pixel_mm2, scan.spacing[0], convention)
        assert agatston(scan.hu, None, scan.pixel_mm2, scan.spacing[0], convention) == pytest.approx(expected, rel=1e-12)


CORNERS = [
    ("129 does not count", [[129] * 9], 0.0),
    ("130 counts", [[130] * 9], 9.0),
    ("weights step at 200, 300, 400", [[199, 0, 200, 0, 299, 0, 300, 0, 399, 0, 400, 0, 130]], 1 + 2 + 2 + 3 + 3 + 4 + 1),
    ("the peak is the lesion's own", [[130, 500, 130, 0, 130]], 3 * 4 + 1),
]


@pytest.mark.parametrize(("says", "rows", "expected"), CORNERS, ids=[c[0] for c in CORNERS])
def test_corner_cases(says: str, rows: list[list[int]], expected: float) -> None:
    hu = np.array([rows], np.int16)
    assert agatston(hu, None, 1.0, 3.0) == pytest.approx(expected)


def test_the_peak_is_that_of_the_slice() -> None:
    hu = np.zeros((2, 3, 3), np.int16)
    hu[0], hu[1] = 150, 450
    assert agatston(hu, None, 1.0, 3.0) == pytest.approx(9 * 1 + 9 * 4)


def test_exactly_one_square_millimetre_counts() -> None:
    hu = np.zeros((1, 4, 4), np.int16)
    hu[0, 0, :2] = hu[0, 1, :2] = 200
    assert agatston(hu, None, 0.25, 3.0) == pytest.approx(2.0)
    hu[0, 1, 1] = 0
    assert agatston(hu, None, 0.25, 3.0) == 0.0


def test_neighbours_do_not_reach_round_the_edge() -> None:
    hu = np.zeros((2, 3, 5), np.int16)
    hu[0, 0, 4] = hu[0, 1, 0] = hu[0, 2, 2] = hu[1, 0, 2] = 500
    assert len(deposit_table(hu, None, 1.0, 3.0)) == 4


def test_table_against_a_labelled_loop() -> None:
    from scipy.ndimage import label

    random = np.random.default_rng(5)
    hu = random.normal(60, 60, (12, 30, 31)).astype(np.int16)
    table = deposit_table(hu, None, 0.5, 2.0)
    pieces, count = label(hu >= 130, np.ones((3, 3, 3)))
    assert len(table) == count
    order = [pieces.reshape(-1)[table.flat[table.runs.begin[np.flatnonzero(table.deposit_of_run == i)[0]]]] for i in range(count)]
    for i, name in enumerate(order):
        here = pieces == name
        at = np.argwhere(here)
        assert table.voxels[i] == here.sum()
        assert table.peak_hu[i] == hu[here].max()
        assert table.mean_hu[i] == pytest.approx(hu[here].mean())
        np.testing.assert_allclose(table.centroid[i], at.mean(0))
        np.testing.assert_array_equal(table.low[i], at.min(0))
        np.testing.assert_array_equal(table.high[i], at.max(0))
