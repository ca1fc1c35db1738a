"""A trunk made of ellipsoids: skin, fat, muscle, organs, bowel, vessels, spine, ribs and hips, no two persons alike.

Each shape has a soft edge as wide as the scanner's blur, so the body can be drawn at any point of space, on any grid and however it
lies, and nothing is ever resampled from an image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.phantom import TISSUE_HU, Scanner

Array = NDArray[Any]
AIR_HU = -1000.0
FAT_HU = -95.0
EDGE_PER_BLUR = 2.5
VERTEBRA_MM = 26.0
RIB_PIECES = 9
SLAB_VOXELS = 4_000_000


@dataclass(frozen=True)
class Shape:
    """One ellipsoid of one density, painted over those before it: centre (x, y, z) and semi-axes [mm], turned by `axes`. [HU]

    loose : an organ that may lie elsewhere another day.
    """

    centre: Array
    semi_axes: Array
    hu: float
    axes: Array = field(default_factory=lambda: np.eye(3))
    loose: bool = False


def trunk(random: np.random.Generator, places: list[Array], scale: float = 1.0, height_mm: float = 130.0) -> tuple[Shape, ...]:
    """A person of about 130 x 100 mm across at scale 1, the middle at the origin; LPS, so the spine lies at positive y.

    places : (x, y, z) that lie in soft tissue, for deposits. [mm]
    """
    half = height_mm / 2 / scale
    wide, deep = 64 * random.uniform(0.92, 1.05), 48 * random.uniform(0.92, 1.05)
    frame = _spine(random, deep, half)
    frame += _ribs(random, wide, deep, half) if random.random() < 0.7 else _hips(random, wide, half)
    soft = _walls(random, wide, deep) + _insides(random, half)
    at_scale = [[replace(s, centre=s.centre * scale, semi_axes=s.semi_axes * scale) for s in part] for part in (soft, frame)]
    return (*at_scale[0], *(_bed(random, p) for p in places), *at_scale[1])


def altered(random: np.random.Generator, shapes: tuple[Shape, ...], share: float, scale: float) -> tuple[Shape, ...]:
    """The same body with this share of its loose organs, and their air, somewhere else."""
    moved = [random.normal(0, 15 * scale, 3) if s.loose and random.random() < share else None for s in shapes]
    return tuple(s if m is None else replace(s, centre=s.centre + m) for s, m in zip(shapes, moved, strict=True))


def inner_place(random: np.random.Generator, scale: float, half_mm: float) -> Array:
    """Somewhere inside the belly, away from bone and wall. (x, y, z) [mm]"""
    while True:
        place = random.uniform([-38, -28], [38, 4])
        if (place[0] / 38) ** 2 + (place[1] / 28) ** 2 < 1:
            return np.array([*(place * scale), random.uniform(-half_mm, half_mm)])


def _bed(random: np.random.Generator, place: Array) -> Shape:
    return Shape(place + random.uniform(-2, 2, 3), random.uniform(10, 14, 3), TISSUE_HU, _turn(random))


Where = Callable[[Shape], tuple[Array, Array]]


def paint(scanner: Scanner, shapes: tuple[Shape, ...], to_body: Callable[[Array], Array], where: Where) -> Array:
    """HU of the body on this scanner's grid, [slice, row, column].

    to_body : takes scanner positions (n, 3) to the body's own. where : centre and half extent of a shape as the scanner lies.
    Thick slices are means of thinner ones.
    """
    parts = max(1, round((scanner.thickness_mm or scanner.spacing[0]) / 1.6))
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(scanner.shape, scanner.spacing, strict=True)]
    shifts = ((np.arange(parts) + 0.5) / parts - 0.5) * (scanner.thickness_mm or scanner.spacing[0])
    image = np.zeros(scanner.shape, np.float32)
    slab = max(1, SLAB_VOXELS // (scanner.shape[1] * scanner.shape[2]))
    for first in range(0, scanner.shape[0], slab):
        for shift in shifts:
            part = (axes[0][first : first + slab] + shift, axes[1], axes[2])
            image[first : first + slab] += _painted(part, shapes, to_body, where, scanner.blur_mm)
    image /= np.float32(parts)
    return image


def _painted(axes: tuple[Array, ...], shapes: tuple[Shape, ...], to_body: Callable[[Array], Array], where: Where, blur: float) -> Array:
    z, y, x = np.meshgrid(*(a.astype(np.float32) for a in axes), indexing="ij")
    points = np.ascontiguousarray(to_body(np.stack([x, y, z]).reshape(3, -1).T).T, np.float32).reshape(3, *x.shape)
    image = np.full(x.shape, AIR_HU, np.float32)
    for shape in shapes:
        centre, half = where(shape)
        window = tuple(
            slice(*np.searchsorted(axis, (centre[2 - a] - half[2 - a] - 2 * blur, centre[2 - a] + half[2 - a] + 2 * blur)))
            for a, axis in enumerate(axes)
        )
        here = image[window]
        if here.size:
            here += _inside(points[(slice(None), *window)], shape, blur) * (np.float32(shape.hu) - here)
    return image


def _inside(points: Array, shape: Shape, blur: float) -> Array:
    """How far each of the points [x y z, slice, row, column] lies inside, 0 to 1, rising over the width of the blur."""
    turned = (shape.axes / shape.semi_axes).T.astype(np.float32)
    offset = turned @ shape.centre.astype(np.float32)
    square: Any = np.float32(0)
    steep: Any = np.float32(1e-9)
    for row, start, semi in zip(turned, offset, shape.semi_axes.astype(np.float32), strict=True):
        along = row[0] * points[0] - start
        for k in (1, 2):
            if row[k]:
                along += row[k] * points[k]
        along *= along
        square = square + along
        along *= 1 / semi**2
        steep = steep + along
    away = (square - np.sqrt(square)) / np.sqrt(steep)  # nearly the distance from the surface [mm]
    away *= np.float32(-1 / (EDGE_PER_BLUR * blur))
    away += np.float32(0.5)
    np.clip(away, 0, 1, out=away)
    return np.asarray(away * away * (3 - 2 * away))


def _turn(random: np.random.Generator) -> Array:
    turn, _ = np.linalg.qr(random.standard_normal((3, 3)))
    return np.asarray(turn)


def _shape(centre: tuple[float, float, float], semi_axes: tuple[float, float, float], hu: float, axes: Array | None = None) -> Shape:
    return Shape(np.array(centre, float), np.array(semi_axes, float), hu, np.eye(3) if axes is None else axes)


def _walls(random: np.random.Generator, wide: float, deep: float) -> list[Shape]:
    """Skin, fat under it, the muscles of the wall with fat between them, and fat inside."""
    fat, wall = random.uniform(5, 9), random.uniform(7, 10)
    made = [_shape((0, 0, 0), (wide, deep, 900), 15), _shape((0, 0, 0), (wide - 2, deep - 2, 900), FAT_HU)]
    made.append(_shape((0, 0, 0), (wide - fat, deep - fat, 900), 52))
    for _ in range(26):
        angle, z = random.uniform(0, 2 * np.pi), random.uniform(-120, 120)
        at = ((wide - fat - wall / 2) * np.cos(angle), (deep - fat - wall / 2) * np.sin(angle), z)
        made.append(_shape(at, tuple(random.uniform([4, 1.5, 8], [9, 3, 25])), -70, _about_z(angle + np.pi / 2)))
    made.append(_shape((0, -3, 0), (wide - fat - wall, deep - fat - wall - 2, 900), FAT_HU))
    return made


def _insides(random: np.random.Generator, half: float) -> list[Shape]:
    """Organs, vessels, and bowel with some air."""
    made: list[Shape] = []
    tall = half + 45
    for _ in range(int(tall / 1.6)):
        at = inner_place(random, 1.0, tall)
        made.append(Shape(at, random.uniform(5, 15, 3), float(random.uniform(5, 70)), _turn(random), True))
    for _ in range(int(tall / 4)):
        at = inner_place(random, 1.0, tall)
        made.append(Shape(at, random.uniform([2, 2, 15], [4, 4, 40]), float(random.uniform(35, 50)), _turn(random)))
    for _ in range(int(tall / 12)):
        at = inner_place(random, 1.0, tall)
        turn = _turn(random)
        made += [Shape(at, np.array([8.0, 8.0, 14.0]), 35.0, turn), Shape(at, np.array([5.0, 5.0, 10.0]), -700.0, turn, True)]
    return made


def _spine(random: np.random.Generator, deep: float, half: float) -> list[Shape]:
    """Bodies with discs between, a canal, and a process each; no two bodies alike."""
    made: list[Shape] = []
    back = deep - 24
    made.append(_shape((0, back + 6, 0), (17, 15, 900), 50))
    z, far = -half - 60 + random.uniform(0, VERTEBRA_MM), half + 60
    while z < far:
        size, lean = random.uniform(0.9, 1.1, 3), _about_x(random.uniform(-0.12, 0.12))
        body = np.array([13.0, 9.5, 10.5]) * size
        hu = random.uniform(380, 560)
        made += [_shape((0, back, z), tuple(body), hu, lean), _shape((0, back, z), tuple(body - 2), random.uniform(130, 240), lean)]
        made.append(_shape((random.uniform(-1, 1), back + 17, z - 4), (2.5, 7, 6), hu, lean))
        made += [_shape((side * 11, back + 12, z), (8, 2.5, 3), hu, _about_z(side * random.uniform(0.1, 0.4))) for side in (-1, 1)]
        z += VERTEBRA_MM * random.uniform(0.92, 1.08)
    made.append(_shape((0, back + 11, 0), (5, 4.5, 900), 30))
    return made


def _ribs(random: np.random.Generator, wide: float, deep: float, half: float) -> list[Shape]:
    """Pairs of ribs that run down as they run forward."""
    made: list[Shape] = []
    for z in np.arange(-half - 60, half + 90, random.uniform(20, 26)):
        drop, thick = random.uniform(15, 30), random.uniform(2.5, 3.5)
        for side in (-1, 1):
            for angle in np.linspace(0.42 * np.pi, -0.25 * np.pi, RIB_PIECES):
                at = (side * (wide - 12) * np.cos(angle), (deep - 11) * np.sin(angle), z + drop * (angle - 1))
                turn = _about_z(np.arctan2((deep - 11) * np.cos(angle), -side * (wide - 12) * np.sin(angle)))
                made += [_shape(at, (9, thick, 4.5), 420, turn), _shape(at, (8, thick - 1.3, 3), 150, turn)]
    return made


def _hips(random: np.random.Generator, wide: float, half: float) -> list[Shape]:
    """Two wings of the pelvis in the lower half."""
    made = []
    for side in (-1, 1):
        turn = _about_z(-side * random.uniform(0.6, 0.9)) @ _about_x(random.uniform(-0.2, 0.2))
        at = (side * (wide - 19), 10.0, -half * random.uniform(0.5, 0.9))
        made += [_shape(at, (19, 4.5, 34), 480, turn), _shape(at, (17, 2.8, 32), 160, turn)]
    return made


def _about_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _about_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])
