# ruff: noqa: E402  (imports come after what may be missing)
"""What the first or last slice cuts: bone and deposits that go on beyond it are told from those that end before it."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from resorb import ct
from resorb.ct.agatston import DEFAULT, deposit_table
from resorb.ct.ends import goes_on_beyond
from resorb.ct.phantom import Ellipsoid, Scanner, make

SCANNER = Scanner((24, 70, 70), (2.0, 0.8, 0.8), 0.9, 10.0)
TOP = 23.0  # of the middle of the last slice [mm]


def literal(dense: np.ndarray, slices: int) -> list[bool]:
    """Area of each region slice by slice, by a mask each."""
    from scipy.ndimage import label

    pieces, count = label(dense, np.ones((3, 3, 3)))
    areas = [(pieces == n + 1).sum((1, 2)) for n in range(count)]
    return [bool(max(a[0], a[-1]) >= 0.5 * a.max() and max(a[0], a[-1]) > 0) for a in areas]


def test_regions_that_go_on_as_by_a_mask_for_each() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        dense = np.zeros((6, 12, 12), bool)
        for k, j, i in random.integers(0, [6, 10, 10], (7, 3)):
            dense[max(0, k - int(random.integers(3))) : k + 1, j : j + int(random.integers(1, 4)), i : i + 2] = True
        hu = np.where(dense, 300, 0).astype(np.int16)
        table = deposit_table(hu, None, 1.0, 1.0, DEFAULT)
        assert goes_on_beyond(table, 6).tolist() == literal(dense, 6)


@pytest.mark.parametrize(("depth_mm", "found"), [(0.0, 0), (-1.5, 0), (9.0, 1)])
def test_a_small_region_cut_by_the_last_slice_is_not_counted(depth_mm: float, found: int) -> None:
    scan = make(SCANNER, [Ellipsoid((3.0, -4.0, TOP - depth_mm), (2.0, 2.0, 2.4), 500.0)], 1)
    findings = ct.find(scan)
    assert len(findings.candidates) == found
    assert ("cut by the end of the scan" in {e.taken_for for e in findings.excluded}) != bool(found)
