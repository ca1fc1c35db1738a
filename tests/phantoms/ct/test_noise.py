# ruff: noqa: E402  (imports come after what may be missing)
"""Noise read from a scan is the noise that was drawn, whatever lies in the body."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from resorb.ct.coarse import look
from resorb.ct.noise import Noise, bell, crowd, measure_noise
from resorb.ct.phantom import TISSUE_HU, Scanner, noise
from resorb.ct.phantom_body import trunk
from resorb.ct.phantom_pairs import Motion, View, _tissue
from resorb.ct.scan import Acquisition, Scan


@cache
def body(between: float, seed: int = 2) -> tuple[Scanner, Any]:
    """A trunk without noise, 70 mm high, on slices so far apart."""
    scanner = Scanner((round(70 / between), 157, 200), (between, 0.75, 0.75), 1.0)
    random = np.random.default_rng(seed)
    return scanner, _tissue(View(scanner, np.zeros(3)), trunk(random, [], 1.0, 120.0), Motion())


def block(between: float) -> tuple[Scanner, Any]:
    scanner = Scanner((round(50 / between), 80, 80), (between, 0.6, 0.6))
    return scanner, np.full(scanner.shape, TISSUE_HU, np.float32)


def drawn(scanner: Scanner, loud: float, grain: float) -> Any:
    quiet = Scanner(scanner.shape, scanner.spacing, scanner.blur_mm, loud, grain * scanner.spacing[1])
    return noise(quiet, np.random.default_rng(5))


def seen(scanner: Scanner, image: Any) -> Scan:
    return Scan(np.rint(image).clip(-1024, 3071).astype(np.int16), scanner.affine, Acquisition(120.0, modality="CT"))


def density(one: Noise) -> float:
    """Standard deviation of a sum over a region, for each root of its voxels. [HU]"""
    return float(one.voxel_hu * np.sqrt(one.together))


def literal_density(field: Any, voxels: int = 16) -> float:
    """The same, from sums over squares of pure noise."""
    deep, high, wide = (field.shape[0], field.shape[1] // voxels, field.shape[2] // voxels)
    squares = field[:, : high * voxels, : wide * voxels].reshape(deep, high, voxels, wide, voxels).sum((2, 4))
    return float(squares.std() / voxels)


@pytest.mark.parametrize("between", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("loud", [10.0, 30.0])
@pytest.mark.parametrize("grain", [0.0, 0.8])
def test_organs_and_edges_are_no_noise(between: float, loud: float, grain: float) -> None:
    scanner, image = body(between)
    field = drawn(scanner, loud, grain)
    read = measure_noise(seen(scanner, image + field))
    assert read.voxel_hu == pytest.approx(loud, rel=0.12)
    assert density(read) == pytest.approx(literal_density(field), rel=0.25)


@pytest.mark.parametrize("grain", [0.0, 0.5, 1.0])
def test_noise_of_uniform_tissue(grain: float) -> None:
    scanner, image = block(2.0)
    field = drawn(scanner, 20.0, grain)
    read = measure_noise(seen(scanner, image + field))
    assert read.voxel_hu == pytest.approx(20.0, rel=0.06)
    assert density(read) == pytest.approx(literal_density(field), rel=0.12)


def test_slices_that_overlap_vary_together() -> None:
    scanner, image = block(1.0)
    field = drawn(scanner, 20.0, 0.0)
    overlapped = (field + np.roll(field, 1, 0)) / np.sqrt(2)
    assert measure_noise(seen(scanner, image + overlapped)).together == pytest.approx(2.0, rel=0.15)


def test_what_was_filled_up_is_no_quiet_tissue() -> None:
    scanner, image = block(2.0)
    filled = image + drawn(scanner, 20.0, 0.0)
    filled[:, :, 30:] = 0
    assert measure_noise(seen(scanner, filled)).voxel_hu == pytest.approx(20.0, rel=0.08)


def test_without_tissue_noise_is_not_known() -> None:
    scanner, image = block(2.0)
    assert not measure_noise(seen(scanner, image - 800 + drawn(scanner, 20.0, 0.0))).measured


@pytest.mark.parametrize(("between", "grain"), [(1.0, 0.0), (2.0, 0.8), (3.0, 0.0)])
def test_noise_of_the_coarse_view(between: float, grain: float) -> None:
    scanner, image = body(between)
    field = drawn(scanner, 20.0, grain)
    scan, pure = seen(scanner, image + field), seen(scanner, TISSUE_HU + field)
    noise = measure_noise(scan)
    assert look(scan, noise).noise == pytest.approx(look(pure, noise).cells[1:-1, 1:-1, 1:-1].std(), rel=0.15)


def test_the_narrowest_quarter_and_the_bell() -> None:
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(10, 1, 400), random.uniform(11, 60, 400)])
    ordered = sorted(values)
    narrowest = min(range(600), key=lambda i: ordered[i + 199] - ordered[i])
    assert crowd(values) == pytest.approx(np.mean(ordered[narrowest : narrowest + 200]))
    assert crowd(values) == pytest.approx(10, abs=0.4)
    assert bell(np.concatenate([random.normal(0, 3, 2000), random.uniform(-90, 90, 500)])) == pytest.approx(3, rel=0.12)
    assert bell(np.zeros(5)) == bell(np.zeros(0)) == 0.0
