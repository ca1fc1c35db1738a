"""Real scans whose truth is known: no change is ever called where there is none."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import shift

from resorb.ct import read
from resorb.followup import compare
from resorb.terms.assessment import Refusal

SHARED = Path(os.environ.get("RESORB_SHARED", Path(__file__).parents[4] / "shared")) / "data"
here = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data at {SHARED}")
NO_CHANGE = {"unchanged", "cannot tell", "not covered"}


@here
def test_one_acquisition_reconstructed_twice_never_changed():
    """Sharp and smooth kernel of one scan: the difference is all kernel."""
    made = compare(SHARED / "kernel-pair" / "B70f", SHARED / "kernel-pair" / "B40f")
    assert made.deposits
    assert {d.verdict for d in made.deposits} == {"cannot tell"} == {made.total.verdict}
    assert "kernel: B70f and B40f" in made.total.why


@here
def test_contrast_voltage_and_single_slices_are_said():
    made = compare(*sorted((SHARED / "two-dates" / "A056642").iterdir()))
    assert {d.what for d in made.comparable if d.effect == "cannot tell"} == {"slices", "contrast", "tube voltage"}
    assert made.total.verdict == "cannot tell"
    made = compare(*sorted((SHARED / "two-dates" / "A048383").iterdir()))
    assert made.total.verdict == "cannot tell"
    assert "one slice" in made.total.why
    assert all(isinstance(d.mass_mg, Refusal) for d in made.deposits)


@here
def test_a_real_phantom_moved_by_half_a_pixel_did_not_change():
    scan = read(SHARED / "qrm-phantom")
    moved = shift(scan.hu.astype(np.float32), (0, 0.5, 0.4), order=3, mode="nearest")
    moved += np.random.default_rng(3).normal(0, 4, moved.shape).astype(np.float32)
    made = compare(scan, replace(scan, hu=np.rint(moved).clip(-1024, 3071).astype(np.int16)))
    assert {d.verdict for d in made.deposits} <= NO_CHANGE
    weighed = [d.mass_mg for d in made.deposits if d.verdict == "unchanged"]
    assert len(weighed) >= 7  # every insert from 1 mg up
    assert all(abs(m.change) < 0.12 * m.before + 0.2 for m in weighed if m.before < 100)
