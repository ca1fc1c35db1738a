"""One deposit and its surroundings: which voxels are its own, which tell the background, and how well the background is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from resorb.ct.findings import Candidate, Findings
from resorb.ct.noise import Noise
from resorb.ct.scan import Scan
from resorb.ct.tissue import other_tissue

MARGIN_MM = 3.0
SHELL_MM = 3.5
INNER_MM = 1.5
CERTAIN_MM = 1.5
OTHER_TISSUE_HU = 2.0
CLIP_SD = 3.0
FEWEST_SHELL = 60
DENSE_HU = 130.0
SIDES = 8

Floats = NDArray[Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Surroundings:
    """A crop around one deposit, [slice, row, column].

    hu : float. core : the voxels found. own : everything nearer to this deposit than to another and within reach of its blur.
    background : its level [HU]; background_sd : how well that level is known [HU]. shell : voxels it was taken from.
    spacing : [mm]. voxel_mm3. noise_hu : local. origin : index of the crop's first voxel. shared : another deposit's reach overlaps.
    """

    hu: Floats
    core: Flags
    own: Flags
    background: float
    background_sd: float
    shell: Flags
    spacing: Floats
    voxel_mm3: float
    noise_hu: float
    together: float
    origin: NDArray[Any]
    shared: bool
    clipped: bool

    @property
    def above(self) -> Floats:
        """HU above background, zero outside `own`."""
        return np.where(self.own, self.hu - self.background, 0.0)


@dataclass(frozen=True)
class Neighbourhood:
    """All deposits of a scan, ready to be looked at one by one: sorted flat indices and whose they are; foreign : dense, but no deposit."""

    scan: Scan
    noise: Noise
    flat: NDArray[Any]
    owner: NDArray[Any]
    foreign: NDArray[Any]

    @classmethod
    def of(cls, scan: Scan, findings: Findings) -> Neighbourhood:
        """Deposits of a scan by owner, and what is dense but no deposit."""
        candidates = findings.candidates
        if not candidates:
            none = np.zeros(0, np.int64)
            return cls(scan, findings.noise, none, none, findings.foreign)
        flat = np.concatenate([c.flat for c in candidates])
        owner = np.repeat(np.arange(len(candidates)), [len(c.flat) for c in candidates])
        order = np.argsort(flat, kind="stable")
        return cls(scan, findings.noise, flat[order], owner[order], findings.foreign)

    def around(self, which: int, candidate: Candidate) -> Surroundings:
        """The surroundings of deposit number `which`."""
        at = np.stack(np.unravel_index(candidate.flat, self.scan.hu.shape), 1)
        reach = np.ceil((MARGIN_MM + SHELL_MM) / self.scan.spacing).astype(int) + 1
        low = np.maximum(at.min(0) - reach, 0)
        high = np.minimum(at.max(0) + reach + 1, self.scan.hu.shape)
        hu = self.scan.hu[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float64)
        owners = self._owners(hu, low, high)
        owners[tuple((at - low).T)] = which + 1
        return _assign(hu, owners, which, self.scan, self.noise, low)

    def _owners(self, hu: Floats, low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
        """Whose each voxel of a crop is: 0 nobody, i + 1 deposit i, -1 something that is no deposit."""
        shape = self.scan.hu.shape
        k, j, i = (np.arange(a, b) for a, b in zip(low, high, strict=True))
        places = ((k[:, None, None] * shape[1] + j[:, None]) * shape[2] + i).reshape(-1)
        out = np.zeros(len(places), np.int64)
        dense = np.flatnonzero(hu.reshape(-1) >= DENSE_HU)
        out[dense[_is_in(places[dense], self.foreign)]] = -1
        first, last = np.searchsorted(self.flat, [places[0], places[-1] + 1])
        flat, owner = self.flat[first:last], self.owner[first:last]
        if len(flat):
            found = _is_in(places, flat)
            out[found] = owner[np.searchsorted(flat, places[found])] + 1
        return out.reshape(hu.shape)


def _is_in(wanted: NDArray[Any], ordered: NDArray[Any]) -> Flags:
    """Which of these are among the sorted others."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted)


def _assign(hu: Floats, owners: NDArray[Any], which: int, scan: Scan, noise: Noise, low: NDArray[Any]) -> Surroundings:
    """Own voxels, shell and background of one crop, whose first voxel is `low`."""
    high = low + hu.shape
    spacing = scan.spacing
    nobody = owners == 0
    core = owners == which + 1
    distance = np.asarray(distance_transform_edt(~core, sampling=spacing))
    half_slice = float(spacing[0]) / 2
    margin = MARGIN_MM + half_slice * 0.5
    own = distance <= margin
    others = ~core & ~nobody
    shared = False
    if others.any():
        to_others = np.asarray(distance_transform_edt(~others, sampling=spacing))
        shared = bool((own & (to_others <= margin)).any())
        own &= distance <= to_others
    else:
        to_others = np.full(hu.shape, np.inf)
    shell = (distance > margin) & (distance <= margin + SHELL_MM + half_slice) & (to_others > margin)
    thin, other = other_tissue(hu, shell & (distance <= margin + INNER_MM + half_slice), spacing, noise)
    own &= ~thin | (distance <= CERTAIN_MM)
    whole, shell = shell, _without(shell, other)
    level, sd, local = _background(hu, shell, core, noise)
    sd = float(np.hypot(sd, OTHER_TISSUE_HU * (1 - shell.sum() / max(1, whole.sum()))))
    clipped = _touches(own, low, high, scan.hu.shape)
    return Surroundings(hu, core, own, level, sd, shell, spacing, scan.voxel_mm3, local, noise.together, low, shared, clipped)


def _without(shell: Flags, other: Flags) -> Flags:
    """The shell without other tissue; all of it where hardly any would be left."""
    left = shell & ~other
    return left if left.sum() >= FEWEST_SHELL else shell


def _touches(own: Flags, low: NDArray[Any], high: NDArray[Any], shape: tuple[int, ...]) -> bool:
    """Whether what belongs to the deposit is cut by the edge of the scan."""
    for axis in range(3):
        side = np.moveaxis(own, axis, 0)
        if (low[axis] == 0 and side[0].any()) or (high[axis] == shape[axis] and side[-1].any()):
            return True
    return False


def _background(hu: Floats, shell: Flags, core: Flags, noise: Noise) -> tuple[float, float, float]:
    """Level of the shell, how well it is known, and its local noise. Outliers (bone, air, other tissue) are left out."""
    values = hu[shell]
    if len(values) < FEWEST_SHELL:
        return (float(np.median(values)) if len(values) else 40.0), 20.0, noise.voxel_hu
    middle = float(np.median(values))
    scatter = max(noise.voxel_hu, 1.4826 * float(np.median(np.abs(values - middle))))
    for _ in range(2):
        kept = np.abs(values - middle) < CLIP_SD * scatter
        middle = float(values[kept].mean())
    local = float(values[kept].std()) * 1.0135
    z, y, x = (np.arange(n) > middle for n, middle in zip(core.shape, np.argwhere(core).mean(0), strict=True))
    side = (4 * z[:, None, None] + 2 * y[:, None] + x)[shell][kept]
    counts = np.bincount(side, minlength=SIDES)
    means = np.bincount(side, values[kept], SIDES)[counts > 5] / counts[counts > 5]
    expected = local**2 * noise.together / len(values[kept])
    seen = float(means.var(ddof=1)) / len(means) if len(means) > 2 else expected
    return middle, float(np.sqrt(max(expected, 0.5 * (expected + seen)))), max(local, 0.7 * noise.voxel_hu)
