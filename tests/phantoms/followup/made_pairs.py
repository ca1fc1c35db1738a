"""Small pairs whose truth is chosen: a few spheres before and after, the person moved, another grid and noise."""

from dataclasses import replace

import numpy as np

from resorb.ct.measuring import Settings
from resorb.ct.phantom import HU_PER_MG_CM3, Ellipsoid, Scanner, make
from resorb.followup import Stated, compared
from resorb.followup.aligning import handed_over

OWN = Settings(calibration=1 / HU_PER_MG_CM3)
BEFORE = Scanner((26, 64, 64), (1.5, 0.7, 0.7), 0.9, 12.0)
AFTER = Scanner((28, 60, 60), (1.4, 0.75, 0.75), 1.0, 15.0)
SHIFT = np.array([1.3, -0.8, 0.9])


def sphere(x, y, z, mg, density=500.0):
    """A round deposit of this mass. [mm, mg, mg/cm3]"""
    radius = float((mg * 1000 / density * 3 / 4 / np.pi) ** (1 / 3))
    return Ellipsoid((float(x), float(y), float(z)), (radius,) * 3, density)


def moved(deposit):
    x, y, z = (float(v) for v in np.array(deposit.centre) + SHIFT)
    return replace(deposit, centre=(x, y, z))


def scans(before, after, seed=1, scanners=(BEFORE, AFTER)):
    return make(scanners[0], before, seed), make(scanners[1], [moved(d) for d in after], seed + 1000)


def aligned(baseline, followup, error_mm=0.5):
    return handed_over((baseline, followup), lambda x: x + SHIFT, lambda x: x - SHIFT, error_mm)


def change(before, after, seed=1, scanners=(BEFORE, AFTER), **stated):
    """Compare these deposits before with those after; places are given in the baseline's frame."""
    pair = scans(before, after, seed, scanners)
    return compared(pair, settings=OWN, stated=Stated(aligned=aligned(*pair), **stated)).change


def verdict_at(made, x, y, z, near=3.0):
    """The verdict on the deposit at this place of the baseline, and the deposit."""
    one = min(made.deposits, key=lambda d: np.linalg.norm(np.subtract(d.centroid_mm, (x, y, z))))
    assert np.linalg.norm(np.subtract(one.centroid_mm, (x, y, z))) < near
    return one.verdict, one
