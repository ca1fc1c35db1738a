"""One rigid motion of the whole body: where to start from everywhere at once, then SimpleITK from the best few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import gaussian_filter, map_coordinates

from resorb.followup.cells import Cells
from resorb.terms.errors import ResorbError

LEAST_OVERLAP = 0.2
STARTS = 5
APART_MM = 20.0
MOST_ALIKE = 0.995
DETAIL_MM = 20.0
MOST_DETAIL = 60.0
START_MM = (4.0, 8.0)
CELLS_ACROSS = 12
SAMPLES = 15_000
START_SAMPLES, END_SAMPLES = 5_000, 10_000
MOST_BLURRED = 250_000

Array = NDArray[Any]


class NoRegistration(ResorbError):
    """The library that aligns scans is not installed."""


@dataclass(frozen=True)
class Rigid:
    """Baseline positions to follow-up positions: turn @ p + shift. LPS [mm]"""

    turn: Array
    shift: Array

    def there(self, points: Array) -> Array:
        """To the follow-up, (n, 3). [mm]"""
        return np.asarray(points @ self.turn.T + self.shift)

    def back(self, points: Array) -> Array:
        """To the baseline, (n, 3). [mm]"""
        return np.asarray((points - self.shift) @ self.turn)

    @property
    def degrees(self) -> float:
        """How far the body turned."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.turn) - 1) / 2, -1, 1))))


def library() -> Any:
    """SimpleITK, or what to install."""
    try:
        import SimpleITK
    except ImportError:
        raise NoRegistration("resorb compare needs SimpleITK, which is not installed. Try: pip install 'resorb[register]'") from None
    quiet: Any = SimpleITK.ProcessObject
    quiet.GlobalWarningDisplayOff()  # a start where nothing overlaps is told by its evidence
    return SimpleITK


def rigid_of(before: Array, after: Array) -> Rigid:
    """The rigid motion that takes positions (n, 3) nearest to others (least squares, Kabsch)."""
    middle, other = before.mean(0), after.mean(0)
    u, _, v = np.linalg.svd((after - other).T @ (before - middle))
    turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
    return Rigid(turn, other - turn @ middle)


@dataclass(frozen=True)
class Level:
    """A scan in coarser cells. inside : 1 in the body."""

    cells: Cells
    inside: Array

    @classmethod
    def of(cls, cells: Cells, mm: float) -> Level:
        """The scan in cells of about `mm`."""
        coarse = cells.coarser(mm)
        sizes = zip(coarse.tone.shape, cells.tone.shape, strict=True)
        nearest = [np.minimum(np.arange(n) * (m // n) + m // n // 2, m - 1) for n, m in sizes]
        return cls(coarse, cells.body[np.ix_(*nearest)].astype(np.float32))

    def sample(self, values: Array, lps: Array, beyond: str = "constant") -> Array:
        """Values at positions (n, 3); 0 beyond the field, or the "nearest"."""
        return np.asarray(map_coordinates(values, self.cells.to_index(lps).T, order=1, mode=beyond))

    @cached_property
    def around(self) -> Array:
        """The usual tone around each cell, within the body."""
        sigma = DETAIL_MM / self.cells.step
        tone, share = (gaussian_filter(a, sigma, truncate=2.5) for a in (self.cells.tone * self.inside, self.inside))
        return np.asarray(tone / np.maximum(share, 0.05))


@dataclass(frozen=True)
class Levels:
    """A scan in coarse cells, to look everywhere, and in finer ones."""

    coarse: Level
    fine: Level

    @classmethod
    def of(cls, cells: Cells, mm: float) -> Levels:
        """The scan in cells of about `mm` and of half that."""
        made = cls(Level.of(cells, mm), Level.of(cells, mm / 2))
        _ = made.coarse.around
        return made

    def detail(self, lps: Array) -> Array:
        """Tone less its surroundings within the body, 0 outside: tells one level of the body from another, where tone hardly does."""
        rises = self.fine.sample(self.fine.cells.tone, lps) - self.coarse.sample(self.coarse.around, lps, "nearest")
        return np.asarray(np.clip(rises, -MOST_DETAIL, MOST_DETAIL) * self.fine.sample(self.fine.inside, lps))


def rigid_fit(fixed: Cells, moving: Cells) -> Rigid | None:
    """The motion that lays `moving` on `fixed` best. None where nothing overlaps."""
    sitk = library()
    mm = _start_mm(fixed, moving)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda cells: Levels.of(cells, mm), (fixed, moving)))
        starts = shifts(both[0], both[1], mm)
        if not starts:
            return None
        coarse, fine = [one.coarse for one in both], [one.fine for one in both]
        tried = list(pool.map(lambda start: _optimised(sitk, coarse, Rigid(np.eye(3), start), (0.2, 40, START_SAMPLES)), starts))
    worth = evidence(both[0], both[1], tried)
    return _optimised(sitk, fine, tried[int(np.argmax(worth))], (0.02, 80, END_SAMPLES))


def _start_mm(*both: Cells) -> float:
    """Coarse enough to be quick, fine enough for the smaller scan."""
    narrowest = min(float((np.array(cells.tone.shape) * cells.step).min()) for cells in both)
    return float(np.clip(narrowest / CELLS_ACROSS, *START_MM))


def evidence(fixed: Levels, moving: Levels, tried: list[Rigid]) -> list[float]:
    """For each motion, how much more likely the two images are together than apart: a good match of much beats that of little."""
    flat = np.flatnonzero(fixed.fine.inside)
    where = np.stack(np.unravel_index(flat[:: max(1, len(flat) // SAMPLES)], fixed.fine.inside.shape), 1)
    at = fixed.fine.cells.to_lps(where.astype(float))
    detail = fixed.detail(at)
    least = LEAST_OVERLAP * min(1.0, _litres(moving.fine) / _litres(fixed.fine))
    return [_likelihood(detail, moving, one.there(at), least) for one in tried]


def _likelihood(detail: Array, moving: Levels, there: Array, least: float) -> float:
    index = moving.fine.cells.to_index(there)
    seen = ((index >= 0) & (index <= np.array(moving.fine.inside.shape) - 1)).all(1)
    if seen.mean() < least:
        return 0.0
    alike = np.corrcoef(detail[seen], moving.detail(there[seen]))[0, 1]
    return float(-np.log1p(-(np.clip(np.nan_to_num(alike), 0, MOST_ALIKE) ** 2)) * np.sqrt(seen.mean()))


def _litres(level: Level) -> float:
    return float(level.inside.sum() * np.prod(level.cells.step)) / 1e6


def shifts(fixed: Levels, moving: Levels, mm: float) -> list[Array]:
    """The few best translations of baseline positions, by correlation over every possible overlap. LPS [mm]"""
    (detail, inside, origin), other = _even(fixed, mm), _even(moving, mm)
    if not (inside.any() and other[1].any()):
        return []
    score = _masked_correlation((detail, inside), other[:2])
    found: list[Array] = []
    while len(found) < STARTS and score.max() > 0:
        at = np.array(np.unravel_index(score.argmax(), score.shape))
        index = np.where(at > np.array(detail.shape) - 1, at - np.array(score.shape), at)
        found.append(other[2] - origin - mm * index[::-1])
        away = [np.abs((np.arange(n) - a + n // 2) % n - n // 2) <= APART_MM / mm for n, a in zip(score.shape, at, strict=True)]
        score[np.ix_(*away)] = 0
    return found


def _even(levels: Levels, mm: float) -> tuple[Array, Array, Array]:
    """Detail and inside on a grid of equal steps along z, y, x over the body, and where its first cell lies (x, y, z)."""
    level = levels.coarse
    low, high = level.cells.extent
    axes = [np.arange(low[a], high[a] + 1e-6, mm) for a in (2, 1, 0)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    at = np.stack([x, y, z], -1).reshape(-1, 3)
    inside = level.sample(level.inside, at).reshape(x.shape) > 0.5
    rises = (level.sample(level.cells.tone, at) - level.sample(level.around, at)).reshape(x.shape)
    body = _box(inside)
    origin = low + mm * np.array([span.start for span in body])[::-1]
    detail = np.clip(rises, -MOST_DETAIL, MOST_DETAIL) * inside
    return detail[body].astype(np.float32), inside[body].astype(np.float32), origin


def _box(flags: NDArray[np.bool_]) -> tuple[slice, ...]:
    """The box that holds what is flagged; everything where nothing is."""
    along = [np.flatnonzero(flags.any(tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    return tuple(slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, None) for at in along)


def _masked_correlation(fixed: tuple[Array, Array], moving: tuple[Array, Array]) -> Array:
    """Evidence for every shift of `moving` by whole cells: correlation of the overlap (after Padfield) over how much overlaps."""
    shape = [next_fast_len(a + b - 1, True) for a, b in zip(fixed[0].shape, moving[0].shape, strict=True)]

    def spectra(detail: Array, inside: Array) -> list[Array]:
        return [rfftn(a, shape, workers=2) for a in (detail, detail**2, inside)]

    f, f2, fm = spectra(*fixed)
    m, m2, mm = (np.conj(a) for a in spectra(*moving))
    count = np.maximum(irfftn(fm * mm, shape, workers=2), 1)
    f_sum, m_sum = irfftn(f * mm, shape, workers=2), irfftn(fm * m, shape, workers=2)
    across = irfftn(f * m, shape, workers=2) - f_sum * m_sum / count
    spread = (irfftn(f2 * mm, shape, workers=2) - f_sum**2 / count) * (irfftn(fm * m2, shape, workers=2) - m_sum**2 / count)
    enough = count > LEAST_OVERLAP * min(float(fixed[1].sum()), float(moving[1].sum()))
    alike = np.clip(across / np.sqrt(np.maximum(spread, 1.0)), 0, MOST_ALIKE)
    return np.where(enough, -np.log1p(-(alike**2)) * np.sqrt(count), 0)


def _optimised(sitk: Any, pair: list[Level], start: Rigid, until: tuple[float, int, int]) -> Rigid:
    """The rigid motion of highest correlation near a start; `until` steps of so many mm, or so many steps, by so many samples.

    One thread, so that the same scans give the same bits.
    """
    cells, inside = pair[0].cells, pair[0].inside
    middle = cells.to_lps(np.argwhere(inside > 0).mean(0)[None])[0].tolist()
    first = sitk.Euler3DTransform()
    first.SetCenter(middle)
    first.SetMatrix(start.turn.reshape(-1).tolist(), 1e-4)
    first.SetTranslation((start.there(np.array([middle]))[0] - middle).tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(min(1.0, until[2] / inside.size), 1)
    method.MetricUseFixedImageGradientFilterOff()  # blurred slopes of a whole large image take longer than the fit,
    if inside.size > MOST_BLURRED:  # yet a coarse fit without them can stay tilted, and lose to one at another place
        method.MetricUseMovingImageGradientFilterOff()
    method.SetMetricFixedMask(_image(sitk, inside.astype(np.uint8), cells))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(float(cells.step.mean()) / 2, *until[:2], gradientMagnitudeTolerance=1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(first, inPlace=True)
    try:
        method.Execute(_image(sitk, cells.tone, cells), _image(sitk, pair[1].cells.tone, pair[1].cells))
    except RuntimeError:  # too few samples overlap
        return start
    turn = np.array(first.GetMatrix()).reshape(3, 3)
    return Rigid(turn, np.array(middle) + np.array(first.GetTranslation()) - turn @ np.array(middle))


def _image(sitk: Any, values: Array, cells: Cells) -> Any:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(cells.step[::-1].tolist())
    image.SetDirection((cells.affine[:3, :3] / cells.step)[:, ::-1].reshape(-1).tolist())
    image.SetOrigin(cells.affine[:3, 3].tolist())
    return image
