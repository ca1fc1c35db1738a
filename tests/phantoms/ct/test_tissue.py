# ruff: noqa: E402  (imports come after what may be missing)
"""The mass of a deposit does not hang on what else lies near it."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from resorb import ct
from resorb.ct.noise import Noise
from resorb.ct.phantom import HU_PER_MG_CM3, TISSUE_HU, Ellipsoid, Scanner, make
from resorb.ct.phantom_body import FAT_HU, Shape
from resorb.ct.phantom_pairs import Motion, View, _tissue
from resorb.ct.tissue import other_tissue

OWN = ct.Settings(calibration=1 / HU_PER_MG_CM3)


@pytest.mark.parametrize("loud", [12.0, 25.0])
@pytest.mark.parametrize("between", [1.2, 2.6])
def test_fat_around_the_tissue_of_a_deposit_adds_nothing_to_its_mass(between: float, loud: float) -> None:
    scanner = Scanner((round(60 / between), 80, 80), (between, 0.75, 0.75), 1.0, loud)
    bed = Shape(np.array([1.0, -1.0, 1.0]), np.array([12.0, 11.0, 13.0]), TISSUE_HU)
    fat = Shape(np.zeros(3), np.full(3, 900.0), FAT_HU)
    tissue = _tissue(View(scanner, np.zeros(3)), (fat, bed), Motion())
    deposit = Ellipsoid((0.0, 0.5, 0.0), (3.2, 2.6, 2.9), 500.0)
    (one,) = ct.measure(make(scanner, [deposit], 3, tissue), settings=OWN).deposits
    assert one.mass_mg.value == pytest.approx(deposit.mass_mg, rel=0.04)
    assert one.mass_mg.low <= deposit.mass_mg <= one.mass_mg.high


def test_other_tissue_is_told_in_noise_and_noise_is_not_taken_for_it() -> None:
    random = np.random.default_rng(2)
    hu = random.normal(40, 20, (12, 40, 40))
    near = np.ones(hu.shape, bool)
    thin, other = other_tissue(hu, near, np.array([2.0, 0.7, 0.7]), Noise(20.0, 1.0))
    assert thin.mean() < 0.01 and other.mean() < 0.08
    hu[:, :, 30:] -= 130
    thin, other = other_tissue(hu, near, np.array([2.0, 0.7, 0.7]), Noise(20.0, 1.0))
    assert thin[:, :, 33:].mean() > 0.99 and thin[:, :, :26].mean() < 0.01 and other[:, :, 31:].mean() > 0.99
