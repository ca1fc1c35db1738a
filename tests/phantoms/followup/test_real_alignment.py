"""Real scans laid on each other, where the truth is known: one acquisition reconstructed twice, and people who are not the same."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resorb import ct
from resorb.followup.aligning import align
from resorb.followup.cells import cells_of

SHARED = Path(os.environ.get("RESORB_SHARED", Path(__file__).parents[4] / "shared")) / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data at {SHARED}")


@pytest.fixture(scope="module")
def chest():
    return ct.read(SHARED / "kernel-pair" / "B40f")


def test_one_acquisition_reconstructed_smooth_and_sharp_has_not_moved(chest):
    """The true displacement is zero; slices are 8 mm thick."""
    made = align(chest, ct.read(SHARED / "kernel-pair" / "B70f"))
    assert made.ok, made.facts.failed
    cells = cells_of(chest)
    places = cells.to_lps(np.argwhere(cells.body)[::997].astype(float))
    places = places[made.covers(places, margin_mm=10)]
    moved = np.linalg.norm(made.to_followup(places) - places, axis=1)
    assert np.median(moved) < 0.3
    assert np.percentile(moved, 95) < 1.5
    assert np.mean(moved <= made.error_mm(places)) > 0.9
    assert made.facts.rotation_degrees < 0.2


def test_a_chest_is_not_an_abdomen_and_not_its_mirror_image(chest):
    abdomen = ct.read(SHARED / "totalsegmentator" / "example_ct.nii.gz")
    assert "same anatomy" in align(chest, abdomen).facts.failed
    assert not align(chest, replace(chest, hu=np.ascontiguousarray(chest.hu[:, :, ::-1]))).ok


def test_single_slices_of_two_dates_are_told_so():
    folder = SHARED / "two-dates" / "A048383"
    first, second = (ct.read(path) for path in sorted(p for p in folder.iterdir())[:2])
    assert "single slice" in align(first, second).facts.failed
