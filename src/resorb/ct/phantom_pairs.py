"""Two scans of one made-up person, with the truth of what moved and what changed.

The follow-up is drawn anew from shapes, where they lie after the move and on its own grid: it is never a resampled copy of the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resorb.ct.phantom import TISSUE_HU, Ellipsoid, Scanner, draw, noise, random_deposit
from resorb.ct.phantom_body import Array, Shape, altered, inner_place, paint, trunk
from resorb.ct.scan import Acquisition, Scan

Fate = Literal["kept", "gone", "new", "split", "merged"]
VIEW_EDGE_MM = 9.0
SMALL_FIELD_MM = 60.0


@dataclass(frozen=True)
class Motion:
    """How the person lies at the follow-up. A follow-up point q is the baseline point x + bend(x), x = turn' (q - middle - shift) + middle.

    waves : rows of (wave vector x, y, z [1/mm], amplitude x, y, z [mm], phase). breath_mm : how far the front half moved along the table.
    """

    turn: Array = field(default_factory=lambda: np.eye(3))
    shift: Array = field(default_factory=lambda: np.zeros(3))
    waves: Array = field(default_factory=lambda: np.zeros((0, 7)))
    breath_mm: float = 0.0

    def to_baseline(self, points: object) -> Array:
        """Where follow-up positions (n, 3) lay at the baseline. LPS [mm]"""
        given = np.asarray(points)
        kind = given.dtype if given.dtype == np.float32 else np.dtype(float)
        rigid = (given.astype(kind) - self.shift.astype(kind)) @ self.turn.astype(kind)
        return rigid + self.bend(rigid) if self.reach_mm else rigid

    def to_followup(self, points: object) -> Array:
        """Where baseline positions (n, 3) lie at the follow-up. LPS [mm]"""
        wanted = np.asarray(points, float)
        rigid = wanted.copy()
        for _ in range(60 if self.reach_mm else 0):
            rigid = wanted - self.bend(rigid)
        return rigid @ self.turn.T + self.shift

    def bend(self, points: Array) -> Array:
        """The part of the move that is not rigid. [mm]"""
        moved = np.zeros(points.shape, points.dtype)
        for wave in self.waves.astype(points.dtype):
            moved += np.sin(points @ wave[:3] + wave[6])[:, None] * wave[3:6]
        if self.breath_mm:
            moved[:, 2] += self.breath_mm / (1 + np.exp(points[:, 1] / 12))
        return moved

    @property
    def reach_mm(self) -> float:
        """The bend is never longer than this. [mm]"""
        return float(abs(self.breath_mm) + np.linalg.norm(self.waves[:, 3:6], axis=1).sum())


@dataclass(frozen=True)
class Plan:
    """What a random pair is like. Ranges are (least, most); moved, turned and bent are at most that far.

    trunk : a body with a skeleton, or 60 mm of uniform tissue. changed : deposits change, split, merge, come and go; or none does.
    close : share of deposits with a neighbour 5 mm away. overlap : share of the height that both scans show. altered : share of loose
    organs that lie elsewhere at the follow-up. followup_slice_mm : where it differs from `slice_mm`.
    factor : if given, a share of the deposits (`of_all`) change their mass by it, and nothing else happens. square : of a trunk, a field
    as deep as it is wide, as scanners make it.
    """

    trunk: bool = True
    deposits: int = 8
    radius_mm: tuple[float, float] = (0.8, 3.0)
    changed: bool = True
    close: float = 0.25
    moved_mm: float = 30.0
    turned_degrees: float = 10.0
    bent_mm: float = 0.0
    overlap: float = 1.0
    pixel_mm: tuple[float, float] = (0.6, 0.8)
    slice_mm: tuple[float, float] = (1.0, 3.0)
    noise_hu: tuple[float, float] = (10.0, 30.0)
    blur_mm: tuple[float, float] = (0.8, 1.2)
    followup_slice_mm: tuple[float, float] | None = None
    altered: float = 0.0
    same_scanner: bool = False
    scale: float = 1.0
    height_mm: float = 110.0
    factor: float | None = None
    of_all: float = 0.5
    mass_mg: tuple[float, float] | None = None
    gain_sd: float = 0.0
    square: bool = False


@dataclass(frozen=True)
class View:
    """A scanner, and where the middle of its field lies. (x, y, z) LPS [mm]"""

    scanner: Scanner
    middle: Array

    def inside_mm(self, points: Array) -> Array:
        """How deep points (n, 3) lie within the field; negative outside. [mm]"""
        half = (np.array(self.scanner.shape[::-1]) - 1) / 2 * np.array(self.scanner.spacing[::-1])
        return np.asarray((half - np.abs(points - self.middle)).min(1))


@dataclass(frozen=True)
class TrueDeposit:
    """One deposit, or the pieces that became or came from one: what there is of it at either time, in each scan's own frame.

    centre_mm, centre_followup_mm : where it lies, or would lie. LPS [mm]
    """

    fate: Fate
    factor: float
    baseline: tuple[Ellipsoid, ...]
    followup: tuple[Ellipsoid, ...]
    centre_mm: Array
    centre_followup_mm: Array
    in_baseline: bool
    in_followup: bool

    @property
    def mass_mg(self) -> float:
        """True mass at the baseline, whether seen or not. [mg]"""
        return sum((e.mass_mg for e in self.baseline), 0.0)

    @property
    def mass_followup_mg(self) -> float:
        """True mass at the follow-up, whether seen or not. [mg]"""
        return sum((e.mass_mg for e in self.followup), 0.0)


@dataclass(frozen=True)
class Pair:
    """Two scans and the truth about them."""

    baseline: Scan
    followup: Scan
    deposits: tuple[TrueDeposit, ...]
    motion: Motion

    def to_followup(self, points: object) -> Array:
        """Where baseline positions (n, 3) lie at the follow-up. LPS [mm]"""
        return self.motion.to_followup(points)

    def to_baseline(self, points: object) -> Array:
        """Where follow-up positions (n, 3) lay at the baseline. LPS [mm]"""
        return self.motion.to_baseline(points)


def random_pair(random: np.random.Generator, plan: Plan | None = None) -> Pair:
    """Two scans of one person who moved and whose deposits changed, as planned."""
    plan = plan or Plan()
    motion = random_motion(random, plan)
    views = _views(random, plan, motion)
    if plan.gain_sd:
        views = (_brighter(random, views[0], plan.gain_sd), _brighter(random, views[1], plan.gain_sd))
    deposits = _deposits(random, plan, motion, views)
    shapes = trunk(random, [d.centre_mm for d in deposits], plan.scale, 1.6 * plan.height_mm) if plan.trunk else ()
    later = altered(random, shapes, plan.altered, plan.scale) if plan.altered else shapes
    scans = []
    for view, moved, body, seen in ((views[0], Motion(), shapes, "baseline"), (views[1], motion, later, "followup")):
        image = _tissue(view, body, moved)
        for deposit in deposits:
            for piece in getattr(deposit, seen):
                x, y, z = (float(c) for c in np.array(piece.centre) - view.middle)
                draw(image, replace(piece, centre=(x, y, z)), view.scanner)
        image += noise(view.scanner, random)
        scans.append(_scan(image, view, seen))
    return Pair(scans[0], scans[1], deposits, motion)


def random_motion(random: np.random.Generator, plan: Plan) -> Motion:
    """A turn about any axis, a shift in any direction, and a bend of a few waves and a breath."""
    axis = random.standard_normal(3)
    turn = _rotation(axis / np.linalg.norm(axis), math.radians(random.uniform(0, plan.turned_degrees)))
    direction = random.standard_normal(3)
    shift = direction / np.linalg.norm(direction) * random.uniform(0, plan.moved_mm)
    if plan.bent_mm <= 0:
        return Motion(turn, shift)
    waves = np.zeros((3, 7))
    for wave in waves:
        along, aside = random.standard_normal((2, 3))
        wave[:3] = along / np.linalg.norm(along) * 2 * np.pi / random.uniform(130, 260) / plan.scale
        wave[3:6] = aside / np.linalg.norm(aside) * plan.bent_mm / 3
        wave[6] = random.uniform(0, 2 * np.pi)
    return Motion(turn, shift, waves, float(random.uniform(-plan.bent_mm, plan.bent_mm)))


def _rotation(axis: Array, angle: float) -> Array:
    across = np.cross(np.eye(3), axis)
    return np.asarray(np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) * np.outer(axis, axis) - np.sin(angle) * across)


def _views(random: np.random.Generator, plan: Plan, motion: Motion) -> tuple[View, View]:
    """Two fields; the second is centred on the person to within a few mm, and shifted along the table for less overlap."""
    first = _scanner(random, plan)
    second = first if plan.same_scanner else _scanner(random, replace(plan, slice_mm=plan.followup_slice_mm or plan.slice_mm))
    middle = motion.to_followup(np.zeros((1, 3)))[0] + random.uniform(-4, 4, 3)
    middle[2] += (1 - plan.overlap) * plan.height_mm * float(random.choice([-1.0, 1.0]))
    return View(first, np.zeros(3)), View(second, middle)


def _brighter(random: np.random.Generator, view: View, gain_sd: float) -> View:
    scale = view.scanner.hu_per_mg_cm3 * (1 + gain_sd * float(random.standard_normal()))
    return replace(view, scanner=replace(view.scanner, hu_per_mg_cm3=scale))


def _scanner(random: np.random.Generator, plan: Plan) -> Scanner:
    pixel, between = float(random.uniform(*plan.pixel_mm)), float(random.uniform(*plan.slice_mm))
    deep_mm = (150 if plan.square else 118) * plan.scale
    field_mm = np.array([plan.height_mm, deep_mm, 150 * plan.scale]) if plan.trunk else np.full(3, SMALL_FIELD_MM)
    shape = np.ceil(field_mm / [between, pixel, pixel]).astype(int)
    grain = float(random.choice([0.0, 0.5])) * pixel
    blur, loud = float(random.uniform(*plan.blur_mm)), float(random.uniform(*plan.noise_hu))
    return Scanner((int(shape[0]), int(shape[1]), int(shape[2])), (between, pixel, pixel), blur, loud, grain)


def _deposits(random: np.random.Generator, plan: Plan, motion: Motion, views: tuple[View, View]) -> tuple[TrueDeposit, ...]:
    """As many as planned, none across the edge of a field, none nearer than 5 mm from centre to centre."""
    made: list[TrueDeposit] = []
    tries = 0
    while len(made) < plan.deposits and tries < 3000:
        tries += 1
        near = made[int(random.integers(len(made)))] if made and random.random() < plan.close else None
        one = _neighbour(random, plan, motion, near) if near else _anywhere(random, plan, motion)
        free = all(_gap(one, other) >= (4.9 if other is near else 9.0) for other in made)
        edge = np.concatenate([views[0].inside_mm(one.centre_mm[None]), views[1].inside_mm(one.centre_followup_mm[None])])
        if free and edge.max() > 0 and np.abs(edge).min() > VIEW_EDGE_MM:
            made.append(replace(one, in_baseline=bool(edge[0] > 0), in_followup=bool(edge[1] > 0)))
    return tuple(made)


def _gap(one: TrueDeposit, other: TrueDeposit) -> float:
    """Distance of the nearest centres of their pieces, at either time. [mm]"""
    pairs = [(a, b) for at in ("baseline", "followup") for a in getattr(one, at) for b in getattr(other, at)]
    nearest = min((float(np.linalg.norm(np.subtract(a.centre, b.centre))) for a, b in pairs), default=math.inf)
    return min(nearest, float(np.linalg.norm(one.centre_mm - other.centre_mm)))


def _anywhere(random: np.random.Generator, plan: Plan, motion: Motion) -> TrueDeposit:
    reach = (1.5 - plan.overlap) * plan.height_mm - VIEW_EDGE_MM
    place = inner_place(random, plan.scale, reach) if plan.trunk else random.uniform(-20, 20, 3)
    chance = random.random()
    changed = plan.changed and plan.factor is None
    if changed and chance < 0.16:
        return _divided(random, motion, place, "split" if chance < 0.08 else "merged")
    whole = _weighing(random, random_deposit(random, place, plan.radius_mm), plan)
    if changed and chance < 0.34:
        fate: Fate = "gone" if chance < 0.25 else "new"
        return _true(motion, place, fate, (whole,) if fate == "gone" else (), () if fate == "gone" else (whole,))
    return _true(motion, place, "kept", (whole,), (_grown(random, whole, _factor(random, plan)),))


def _weighing(random: np.random.Generator, one: Ellipsoid, plan: Plan) -> Ellipsoid:
    """The same, larger or smaller, with a mass as planned."""
    if plan.mass_mg is None:
        return one
    wanted = math.exp(random.uniform(math.log(plan.mass_mg[0]), math.log(plan.mass_mg[1])))
    a, b, c = (s * (wanted / one.mass_mg) ** (1 / 3) for s in one.semi_axes)
    return replace(one, semi_axes=(a, b, c))


def _neighbour(random: np.random.Generator, plan: Plan, motion: Motion, beside: TrueDeposit) -> TrueDeposit:
    """A small deposit 5 to 6 mm from another small one."""
    direction = random.standard_normal(3)
    place = beside.centre_mm + direction / np.linalg.norm(direction) * random.uniform(5.0, 6.0)
    whole = random_deposit(random, place, (min(0.9, plan.radius_mm[1]), min(1.2, plan.radius_mm[1])))
    return _true(motion, place, "kept", (whole,), (_grown(random, whole, _factor(random, plan)),))


def _factor(random: np.random.Generator, plan: Plan) -> float:
    """A third do not change; the others by 0.3 to 2. Or as many as planned by the planned factor."""
    if plan.factor is not None:
        return plan.factor if random.random() < plan.of_all else 1.0
    return float(random.uniform(0.3, 2.0)) if plan.changed and random.random() < 2 / 3 else 1.0


def _grown(random: np.random.Generator, whole: Ellipsoid, factor: float) -> Ellipsoid:
    """The same with `factor` times the mass: by density where that stays below 1000 mg/cm3 and chance says so, else by size."""
    if whole.density * factor < 1000 and random.random() < 0.5:
        return replace(whole, density=whole.density * factor)
    a, b, c = (s * factor ** (1 / 3) for s in whole.semi_axes)
    return replace(whole, semi_axes=(a, b, c))


def _divided(random: np.random.Generator, motion: Motion, place: Array, fate: Fate) -> TrueDeposit:
    """One long deposit, and two round ones at its ends."""
    turn, _ = np.linalg.qr(random.standard_normal((3, 3)))
    density, thick = float(random.uniform(300, 700)), float(random.uniform(1.3, 1.8))
    x, y, z = (float(c) for c in place)
    one = Ellipsoid((x, y, z), (5.5, thick, thick), density, turn)
    ends = []
    for side in (-1, 1):
        x, y, z = (float(c) for c in place + side * random.uniform(3.9, 4.4) * turn[:, 0])
        ends.append(Ellipsoid((x, y, z), (1.6, 1.6, 1.6), density * float(random.uniform(0.7, 1.1)), turn))
    return _true(motion, place, fate, *(((one,), tuple(ends)) if fate == "split" else (tuple(ends), (one,))))


def _true(motion: Motion, place: Array, fate: Fate, before: tuple[Ellipsoid, ...], after: tuple[Ellipsoid, ...]) -> TrueDeposit:
    """The truth about one, `after` still given in the baseline's frame."""
    moved = []
    for piece in after:
        x, y, z = (float(c) for c in motion.to_followup(np.array([piece.centre]))[0])
        moved.append(replace(piece, centre=(x, y, z), axes=motion.turn @ piece.axes))
    mass, later = (sum((e.mass_mg for e in pieces), 0.0) for pieces in (before, moved))
    factor = later / mass if mass else math.inf
    return TrueDeposit(fate, factor, before, tuple(moved), np.array(place), motion.to_followup(place[None])[0], True, True)


def _tissue(view: View, shapes: tuple[Shape, ...], moved: Motion) -> NDArray[Any]:
    if not shapes:
        return np.full(view.scanner.shape, TISSUE_HU, np.float32)

    def where(shape: Shape) -> tuple[Array, Array]:
        half = np.linalg.norm(moved.turn @ shape.axes * shape.semi_axes, axis=1) * 1.1 + moved.reach_mm
        return moved.turn @ shape.centre + moved.shift - view.middle, half

    to_body: Callable[[Array], Array] = lambda points: moved.to_baseline(points + view.middle.astype(np.float32))  # noqa: E731
    return paint(view.scanner, shapes, to_body, where)


def _scan(image: NDArray[Any], view: View, name: str) -> Scan:
    affine = view.scanner.affine
    affine[:3, 3] += view.middle
    thick = view.scanner.thickness_mm or view.scanner.spacing[0]
    acquisition = Acquisition(120.0, "phantom", thick, "phantom", None, "made on the spot", "CT", device="phantom")
    return Scan(np.rint(image).clip(-1024, 3071).astype(np.int16), affine, acquisition, source=f"phantom {name}")
