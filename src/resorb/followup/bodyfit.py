"""One rigid motion of the whole body: where to start from everywhere at once, then SimpleITK from the best few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
SAMPLES = 20_000

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
    return SimpleITK


@dataclass(frozen=True)
class Even:
    """A scan on a grid of equal steps along z, y, x. origin : of the first cell (x, y, z) LPS [mm]. body : 1 inside.

    detail : tone less its surroundings within the body, 0 outside: tells one level of the body from another, where tone hardly does.
    """

    tone: Array
    detail: Array
    body: Array
    origin: Array
    mm: float


def rigid_fit(fixed: Cells, moving: Cells) -> Rigid | None:
    """The motion that lays `moving` on `fixed` best. None where nothing overlaps."""
    sitk = library()
    mm = _start_mm(fixed, moving)
    coarse, fine = ([even(cells, size) for cells in (fixed, moving)] for size in (mm, mm / 2))
    starts = shifts(*coarse)
    if not starts:
        return None
    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(lambda start: _optimised(sitk, coarse, Rigid(np.eye(3), start)), starts))
    best = max(tried, key=lambda one: evidence(fine, one))
    return _optimised(sitk, fine, best)


def _start_mm(*both: Cells) -> float:
    """Coarse enough to be quick, fine enough for the smaller scan."""
    narrowest = min(float((np.array(cells.hu.shape) * cells.step).min()) for cells in both)
    return float(np.clip(narrowest / CELLS_ACROSS, *START_MM))


def evidence(pair: list[Even], tried: Rigid) -> float:
    """How much more likely the two images are together than apart, in units of one cell: a good match of much beats that of little."""
    where = np.argwhere(pair[0].body > 0)
    there = (tried.there(pair[0].origin + pair[0].mm * where[:, ::-1]) - pair[1].origin)[:, ::-1] / pair[1].mm
    seen = ((there >= 0) & (there <= np.array(pair[1].tone.shape) - 1)).all(1)
    if seen.sum() < LEAST_OVERLAP * min(len(where), pair[1].body.sum()):
        return 0.0
    other = map_coordinates(pair[1].detail, there[seen].T, order=1)
    alike = np.corrcoef(pair[0].detail[tuple(where[seen].T)], other)[0, 1]
    return float(-np.log1p(-(np.clip(alike, 0, MOST_ALIKE) ** 2)) * np.sqrt(seen.sum()))


def even(cells: Cells, mm: float) -> Even:
    """The cells on a grid of equal steps."""
    coarse = cells.coarser(mm)
    corners = cells.to_lps(np.array(np.meshgrid(*[(0, n - 1) for n in cells.hu.shape])).reshape(3, -1).T.astype(float))
    low, high = corners.min(0), corners.max(0)
    axes = [np.arange(low[a], high[a] + 1e-6, mm) for a in (2, 1, 0)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    index = coarse.to_index(np.stack([x, y, z], -1).reshape(-1, 3)).T.reshape(3, *x.shape)
    tone = map_coordinates(coarse.tone, index, order=1, mode="nearest")
    body = map_coordinates(coarse.body.astype(np.float32), index, order=1, mode="constant") > 0.5
    inside = body.astype(np.float32)
    around = gaussian_filter(tone * inside, DETAIL_MM / mm) / np.maximum(gaussian_filter(inside, DETAIL_MM / mm), 0.05)
    detail = np.clip(tone - around, -MOST_DETAIL, MOST_DETAIL) * inside
    return Even(tone, detail, inside, np.array([axes[2][0], axes[1][0], axes[0][0]]), mm)


def shifts(fixed: Even, moving: Even) -> list[Array]:
    """The few best translations of baseline positions, by correlation over every possible overlap. LPS [mm]"""
    if not (fixed.body.any() and moving.body.any()):
        return []
    score = _masked_correlation(fixed, moving)
    found: list[Array] = []
    reach = APART_MM / fixed.mm
    while len(found) < STARTS and score.max() > 0:
        at = np.array(np.unravel_index(score.argmax(), score.shape))
        index = np.where(at > np.array(fixed.tone.shape) - 1, at - np.array(score.shape), at)
        found.append(moving.origin - fixed.origin - fixed.mm * index[::-1])
        away = [np.abs((np.arange(n) - a + n // 2) % n - n // 2) <= reach for n, a in zip(score.shape, at, strict=True)]
        score[np.ix_(*away)] = 0
    return found


def _masked_correlation(fixed: Even, moving: Even) -> Array:
    """Evidence for every shift of `moving` by whole cells: correlation of the overlap (after Padfield) over how much overlaps."""
    shape = [next_fast_len(a + b - 1, True) for a, b in zip(fixed.tone.shape, moving.tone.shape, strict=True)]

    def spectra(one: Even) -> list[Array]:
        return [rfftn(a, shape, workers=2) for a in (one.detail, one.detail**2, one.body)]

    f, f2, fm = spectra(fixed)
    m, m2, mm = (np.conj(a) for a in spectra(moving))
    count = np.maximum(irfftn(fm * mm, shape, workers=2), 1)
    f_sum, m_sum = irfftn(f * mm, shape, workers=2), irfftn(fm * m, shape, workers=2)
    across = irfftn(f * m, shape, workers=2) - f_sum * m_sum / count
    spread = (irfftn(f2 * mm, shape, workers=2) - f_sum**2 / count) * (irfftn(fm * m2, shape, workers=2) - m_sum**2 / count)
    enough = count > LEAST_OVERLAP * min(float(fixed.body.sum()), float(moving.body.sum()))
    alike = np.clip(across / np.sqrt(np.maximum(spread, 1.0)), 0, MOST_ALIKE)
    return np.where(enough, -np.log1p(-(alike**2)) * np.sqrt(count), 0)


def _optimised(sitk: Any, pair: list[Even], start: Rigid) -> Rigid:
    """The rigid motion of highest correlation near a start. One thread, so that the same scans give the same bits."""
    fixed, moving = (_image(sitk, one.tone, one) for one in pair)
    inside = np.argwhere(pair[0].body > 0)
    middle = (pair[0].origin + pair[0].mm * inside.mean(0)[::-1]).tolist()
    first = sitk.Euler3DTransform()
    first.SetCenter(middle)
    first.SetMatrix(start.turn.reshape(-1).tolist())
    first.SetTranslation((start.there(np.array([middle]))[0] - middle).tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(min(1.0, SAMPLES / pair[0].tone.size), 1)
    method.SetMetricFixedMask(_image(sitk, (pair[0].body > 0).astype(np.uint8), pair[0]))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(pair[0].mm / 2, 0.02, 80, gradientMagnitudeTolerance=1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(first, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # too few samples overlap
        return start
    turn = np.array(first.GetMatrix()).reshape(3, 3)
    shift = np.array(middle) + np.array(first.GetTranslation()) - turn @ np.array(middle)
    return Rigid(turn, shift)


def _image(sitk: Any, values: Array, like: Even) -> Any:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([like.mm] * 3)
    image.SetOrigin(like.origin.tolist())
    return image
