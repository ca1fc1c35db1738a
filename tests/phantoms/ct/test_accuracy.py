# ruff: noqa: E402  (imports come after what may be missing; tables stay in one line)
"""Phantoms of exactly known mass and volume: what the measures must reach. The long sweep is `bench/measure.py`."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("pydicom")

from bench.measure import calcium_free, crowded, single_deposits

from resorb import ct
from resorb.ct.phantom import HU_PER_MG_CM3, Ellipsoid, Scanner, draw, make, random_deposit, random_scanner


@pytest.fixture(scope="module")
def singles():
    """Deposits of 0.6 to 4 mm, one a scan."""
    return single_deposits(160, seed=11)


def test_the_phantom_itself_is_exact() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        scanner, deposit = random_scanner(random), random_deposit(random, random.uniform(-8, 8, 3))
        image = np.zeros(scanner.shape, np.float32)
        draw(image, deposit, scanner)
        mass = image.sum(dtype=float) * np.prod(scanner.spacing) / scanner.hu_per_mg_cm3 / 1000
        assert mass == pytest.approx(deposit.mass_mg, rel=2e-5)


def test_deposits_are_found(singles) -> None:
    assert singles.found(1.0) >= 0.98
    assert singles.found(5.0) == 1.0


def test_mass_is_unbiased_and_beats_the_threshold(singles) -> None:
    assert abs(singles.bias("mass_mg", 2.0)) < 0.03
    assert singles.rmse("mass_mg") <= 0.5 * singles.rmse("mass_threshold_mg")


@pytest.mark.parametrize(("name", "least"), [("mass_mg", 0.90), ("volume_mm3", 0.85), ("diameter_mm", 0.88), ("density_mg_cm3", 0.88)])
def test_intervals_cover_the_truth(singles, name: str, least: float) -> None:
    assert singles.coverage(name) >= least


def test_volume_of_resolved_deposits() -> None:
    large = single_deposits(40, seed=12, radius=(3.0, 4.0))
    assert large.errors("volume_mm3").size >= 36
    assert np.mean(np.abs(large.errors("volume_mm3")) < 0.10) >= 0.95
    assert abs(large.bias("volume_mm3", 0.0)) < 0.03


def test_nothing_is_found_where_there_is_nothing() -> None:
    assert calcium_free(40, seed=13) <= 2


def test_totals_of_neighbours() -> None:
    true, measured = crowded(12, seed=14)
    assert measured.sum() == pytest.approx(true.sum(), rel=0.03)


def test_a_deposit_that_never_reaches_130_hu_is_weighed() -> None:
    faint = Ellipsoid((0.3, -0.2, 0.4), (1.6, 1.6, 1.6), 150.0)
    scan = make(Scanner((40, 80, 80), (1.0, 0.6, 0.6), 1.1, 8.0), [faint], 2)
    assert scan.hu[15:25, 30:50, 30:50].max() < 150
    measured = ct.measure(scan, settings=ct.Settings(calibration=1 / HU_PER_MG_CM3))
    (deposit,) = measured.deposits
    assert deposit.mass_mg.low <= faint.mass_mg <= deposit.mass_mg.high
    assert deposit.mass_mg.value == pytest.approx(faint.mass_mg, rel=0.2)
    assert deposit.sure == "low"


def test_texture_tells_chalk_from_mixture() -> None:
    scanner = Scanner((40, 80, 80), (0.8, 0.6, 0.6), 0.6, 10.0)
    even = make(scanner, [Ellipsoid((0, 0, 0), (6, 6, 6), 400.0)], 3)
    lumps = [
        Ellipsoid((0, 0, 0), (6, 6, 6), 200.0),
        *(Ellipsoid((x, y, z), (1.8, 1.8, 1.8), 500.0) for x in (-2.5, 2.5) for y in (-2.5, 2.5) for z in (-2.5, 2.5)),
    ]
    mixed = make(scanner, lumps, 3)
    (a,), (b,) = (ct.measure(s, settings=ct.Settings(calibration=1 / HU_PER_MG_CM3)).deposits for s in (even, mixed))
    assert a.heterogeneity.high < b.heterogeneity.low
    assert a.surface_smoothness.value > 0.93
