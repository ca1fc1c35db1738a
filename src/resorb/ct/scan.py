"""The noun of the room: a CT volume in Hounsfield units on one regular grid."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Acquisition:
    """How the scan was made, as its header says; none or empty where it does not say."""

    kvp: float | None = None
    kernel: str | None = None
    thickness_mm: float | None = None
    manufacturer: str | None = None
    contrast_agent: str | None = None
    description: str = ""
    modality: str = ""
    patient_key: str | None = None
    acquired: str | None = None
    mass_factor: float | None = None
    device: str | None = None


@dataclass(frozen=True)
class Scan:
    """HU on a regular grid.

    hu : [slice, row, column], int16 (float32 where the stored values need it). [HU]
    affine : 4 x 4, takes (slice, row, column, 1) to LPS. [mm]
    spacing : distance between neighbours along slice, row and column; the first is NaN for a single slice. [mm]

    >>> import numpy as np
    >>> affine = np.array([[0, 0, 0.5, 10], [0, 0.5, 0, 20], [3, 0, 0, 30], [0, 0, 0, 1.0]])
    >>> scan = Scan(np.zeros((2, 4, 4), np.int16), affine)
    >>> scan.to_lps([[1, 0, 2]]).tolist()  # slice 1, row 0, column 2
    [[11.0, 20.0, 33.0]]
    """

    hu: NDArray[Any]
    affine: NDArray[Any]
    acquisition: Acquisition = Acquisition()
    warnings: tuple[str, ...] = ()
    other_series: tuple[str, ...] = ()
    source: str = ""
    single_slice: bool = False
    unique_id: str = field(default="", compare=False)

    @cached_property
    def spacing(self) -> NDArray[Any]:
        """Distance between neighbours along slice, row, column. [mm] NaN for the slices of a single slice."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return np.array([np.nan, *lengths[1:]]) if self.single_slice else lengths

    @cached_property
    def voxel_mm3(self) -> float:
        """Volume of one voxel. [mm3] NaN for a single slice, whose spacing is not known."""
        return float("nan") if self.single_slice else float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel. [mm2]"""
        return float(self.spacing[1] * self.spacing[2])

    @cached_property
    def identity(self) -> str:
        """A hash of the voxels and their geometry; the same scan has the same identity in every format."""
        digest = hashlib.sha256(np.ascontiguousarray(np.round(self.affine, 3) + 0.0, "<f8").tobytes())
        digest.update(np.asarray(self.hu.shape, "<i8").tobytes())
        with ThreadPoolExecutor() as pool:
            for part in pool.map(_slice_hash, self.hu):
                digest.update(part)
        return digest.hexdigest()[:32]

    def to_lps(self, index: object) -> NDArray[Any]:
        """Positions of (slice, row, column) indices, shape (n, 3). LPS [mm]"""
        return np.asarray(np.asarray(index, np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_index(self, lps: object) -> NDArray[Any]:
        """Fractional (slice, row, column) of LPS positions, shape (n, 3). [voxels]"""
        return np.asarray((np.asarray(lps, np.float64) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T)


def _slice_hash(one: NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(one).data, digest_size=16).digest()
