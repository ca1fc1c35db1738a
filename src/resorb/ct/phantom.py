"""Scans made on the spot, whose truth is exact: ellipsoids of known volume and mass, blurred, sampled and made noisy.

A point of the object is spread by a Gaussian in the plane, and by a Gaussian and the slice's own thickness along the table. Both
have closed forms, so each ellipsoid is summed from small cubes whose total volume is exact: no blurred image is ever resampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from resorb.ct.scan import Acquisition, Scan

HU_PER_MG_CM3 = 1.35
TISSUE_HU = 40.0
REACH = 4.0


@dataclass(frozen=True)
class Ellipsoid:
    """One deposit: centre (x, y, z) LPS [mm], semi-axes [mm], hydroxyapatite density [mg/cm3], and the turn of its axes."""

    centre: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    density: float
    axes: NDArray[Any] = field(default_factory=lambda: np.eye(3))

    @property
    def volume_mm3(self) -> float:
        """True volume. [mm3]"""
        return 4 / 3 * math.pi * math.prod(self.semi_axes)

    @property
    def mass_mg(self) -> float:
        """True mass of hydroxyapatite. [mg]"""
        return self.volume_mm3 * self.density / 1000


@dataclass(frozen=True)
class Scanner:
    """How the object is seen. blur_mm : standard deviation of the Gaussian in the plane and along the table.

    noise_hu : standard deviation of one voxel. grain_mm : how far noise is correlated in the plane (0 : white).
    thickness_mm : of a slice; none : as far as the slices are apart. shape : [slice, row, column].
    """

    shape: tuple[int, int, int] = (40, 96, 96)
    spacing: tuple[float, float, float] = (1.0, 0.6, 0.6)
    blur_mm: float = 1.0
    noise_hu: float = 20.0
    grain_mm: float = 0.0
    thickness_mm: float | None = None
    hu_per_mg_cm3: float = HU_PER_MG_CM3

    @property
    def affine(self) -> NDArray[Any]:
        """(slice, row, column, 1) to LPS mm; the middle of the volume is at the origin."""
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *self.spacing, 1.0
        affine[:3, 3] = -affine[:3, :3] @ ((np.array(self.shape) - 1) / 2)
        return affine


def make(scanner: Scanner, deposits: list[Ellipsoid], seed: int = 0, tissue: NDArray[Any] | None = None) -> Scan:
    """The scan that this scanner makes of these deposits, in uniform tissue of 40 HU or in `tissue` (HU, same shape)."""
    image = np.full(scanner.shape, TISSUE_HU, np.float32) if tissue is None else tissue.astype(np.float32)
    for deposit in deposits:
        draw(image, deposit, scanner)
    image += noise(scanner, np.random.default_rng(seed))
    thick = scanner.thickness_mm or scanner.spacing[0]
    acquisition = Acquisition(120.0, "phantom", thick, "phantom", None, "made on the spot", "CT", device="phantom")
    return Scan(np.rint(image).clip(-1024, 3071).astype(np.int16), scanner.affine, acquisition, source=f"phantom, seed {seed}")


def example() -> Scan:
    """A small trunk with a spine and five deposits of 3 to 80 mg, made on the spot; the same every time."""
    scanner = Scanner((60, 150, 150), (1.5, 0.8, 0.8), 0.8, 15.0)
    _, row, column = np.ogrid[: scanner.shape[0], : scanner.shape[1], : scanner.shape[2]]
    tissue = np.full(scanner.shape, -1000, np.float32)
    for radius, centre, hu in ((66, 75, -90.0), (60, 75, TISSUE_HU), (13, 112, 550.0), (10, 112, 170.0)):
        tissue[np.broadcast_to((column - 75) ** 2 + (row - centre) ** 2 < radius**2, tissue.shape)] = hu
    places = ((-22.0, -12.0, 20.0), (18.0, -20.0, 8.0), (25.0, 6.0, -6.0), (-26.0, 10.0, -18.0), (2.0, -28.0, -25.0))
    sizes = ((3.5, 3.0, 3.2), (1.2, 1.2, 1.2), (2.0, 2.6, 1.8), (1.0, 1.4, 1.1), (2.5, 2.5, 3.2))
    densities = (520.0, 450.0, 700.0, 620.0, 260.0)
    return make(scanner, [Ellipsoid(p, a, d) for p, a, d in zip(places, sizes, densities, strict=True)], 7, tissue)


def noise(scanner: Scanner, random: np.random.Generator) -> NDArray[Any]:
    """Noise of the stated standard deviation, white or grained within each slice. [HU]"""
    field = random.standard_normal(scanner.shape, dtype=np.float32)
    if scanner.grain_mm > 0:
        sigma = (0.0, scanner.grain_mm / scanner.spacing[1], scanner.grain_mm / scanner.spacing[2])
        field = gaussian_filter(field, sigma, mode="wrap")
        field /= field.std()
    return field * np.float32(scanner.noise_hu)


def draw(image: NDArray[Any], deposit: Ellipsoid, scanner: Scanner) -> None:
    """Add one blurred ellipsoid to an image, [slice, row, column] in HU."""
    step = max(0.1, min(deposit.semi_axes) / 8)
    points, share = _cubes(deposit, step)
    centre = np.array(deposit.centre)[::-1]
    thickness = scanner.thickness_mm or scanner.spacing[0]
    weights, windows = [], []
    for axis in range(3):
        at, window = _window(scanner, axis, centre[axis], points[axis], thickness)
        spread = _slice_profile if axis == 0 else _in_plane_profile
        weights.append(spread(at[:, None] - (centre[axis] + points[axis])[None, :], scanner.blur_mm, thickness))
        windows.append(window)
    drawn = np.einsum("ka,abc->kbc", weights[0], share, optimize=True)
    drawn = np.einsum("jb,kbc->kjc", weights[1], drawn, optimize=True)
    drawn = np.einsum("ic,kjc->kji", weights[2], drawn, optimize=True)
    scale = deposit.density * scanner.hu_per_mg_cm3 * deposit.volume_mm3 / share.sum()
    image[tuple(windows)] += (drawn * scale).astype(np.float32)


def _cubes(deposit: Ellipsoid, step: float) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """Offsets along z, y, x and the share of each small cube that lies inside."""
    half = [float(np.linalg.norm(np.array(deposit.axes)[:, axis] * deposit.semi_axes)) for axis in (2, 1, 0)]
    points = [np.arange(-math.ceil(h / step) - 1, math.ceil(h / step) + 2) * step for h in half]
    z, y, x = np.meshgrid(*points, indexing="ij")
    along = np.stack([x, y, z], -1) @ deposit.axes / np.array(deposit.semi_axes)
    radius = np.linalg.norm(along, axis=-1)
    edge = step / np.minimum.reduce(deposit.semi_axes)
    return points, np.clip((1 - radius) / edge + 0.5, 0, 1)


def _window(scanner: Scanner, axis: int, centre: float, points: NDArray[Any], thickness: float) -> tuple[NDArray[Any], slice]:
    """Positions of the voxels within reach along one axis, and where they are in the image."""
    at = (np.arange(scanner.shape[axis]) - (scanner.shape[axis] - 1) / 2) * scanner.spacing[axis]
    reach = points.max() + REACH * scanner.blur_mm + (thickness / 2 if axis == 0 else 0)
    near = np.flatnonzero(np.abs(at - centre) <= reach)
    first, last = (int(near[0]), int(near[-1]) + 1) if len(near) else (0, 0)
    return at[first:last], slice(first, last)


def _in_plane_profile(distance: NDArray[Any], blur: float, thickness: float) -> NDArray[Any]:
    """Gaussian spread. [1/mm]"""
    return np.asarray(np.exp(-0.5 * (distance / blur) ** 2) / (blur * math.sqrt(2 * math.pi)))


def _slice_profile(distance: NDArray[Any], blur: float, thickness: float) -> NDArray[Any]:
    """Gaussian spread seen through a slice of this thickness. [1/mm]"""
    scale = blur * math.sqrt(2)
    return np.asarray((erf((distance + thickness / 2) / scale) - erf((distance - thickness / 2) / scale)) / (2 * thickness))


def random_deposit(random: np.random.Generator, centre: NDArray[Any], radius: tuple[float, float] = (0.6, 4.0)) -> Ellipsoid:
    """An ellipsoid of 150 to 800 mg/cm3 whose semi-axes lie within `radius`, turned any way. [mm]"""
    mean = random.uniform(*radius)
    axes = np.clip(mean * random.uniform(0.75, 1.3, 3), *radius)
    turn, _ = np.linalg.qr(random.standard_normal((3, 3)))
    x, y, z = (float(c) for c in centre)
    return Ellipsoid((x, y, z), (float(axes[0]), float(axes[1]), float(axes[2])), float(random.uniform(150, 800)), turn)


def random_scanner(random: np.random.Generator, blur: tuple[float, float] = (0.8, 1.2)) -> Scanner:
    """Noise 10 to 30 HU, spacing 0.4-0.8 x 0.5-3 mm, blurred; half of them with grained noise. A field of 60 x 60 x 60 mm."""
    pixel, between = float(random.uniform(0.4, 0.8)), float(random.uniform(0.5, 3.0))
    side, deep = math.ceil(60 / pixel), math.ceil(60 / between)
    grain = float(random.choice([0.0, 0.5])) * pixel
    return Scanner((deep, side, side), (between, pixel, pixel), float(random.uniform(*blur)), float(random.uniform(10, 30)), grain)
