"""Two scans of one made-up person for the page: of five deposits one goes, one shrinks, one grows, two stay, and one is new."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resorb.ct.nifti import write_labels
from resorb.ct.phantom import TISSUE_HU, Ellipsoid, Scanner, make
from resorb.ct.scan import Scan

STAYS = (((-22.0, -12.0, 20.0), (3.5, 3.0, 3.2), 520.0), ((2.0, -28.0, -25.0), (2.5, 2.5, 3.2), 260.0))
GOES = ((18.0, -20.0, 8.0), (1.8, 1.8, 1.8), 450.0)
GROWS = (((25.0, 6.0, -6.0), (2.0, 2.6, 1.8), 700.0), ((25.0, 6.0, -6.0), (3.4, 3.6, 3.2), 700.0))
SHRINKS = (((-26.0, 10.0, -18.0), (3.0, 3.4, 3.1), 620.0), ((-26.0, 10.0, -18.0), (1.6, 1.8, 1.6), 620.0))
COMES = ((-4.0, 4.0, 24.0), (2.6, 2.4, 2.5), 520.0)


def before() -> Scan:
    """The earlier scan."""
    return _scan([*STAYS, GOES, GROWS[0], SHRINKS[0]], 7)


def after() -> Scan:
    """The later scan."""
    return _scan([*STAYS, GROWS[1], SHRINKS[1], COMES], 8)


def write(scan: Scan, path: Path) -> Path:
    """The scan as a NIfTI file."""
    write_labels(path, scan.hu, scan.affine)
    return path


def _scan(deposits: list[tuple[tuple[float, float, float], tuple[float, float, float], float]], seed: int) -> Scan:
    scanner = Scanner((52, 128, 128), (1.5, 0.9, 0.9), 0.8, 15.0)
    _, row, column = np.ogrid[: scanner.shape[0], : scanner.shape[1], : scanner.shape[2]]
    tissue = np.full(scanner.shape, -1000, np.float32)
    for radius, centre, hu in ((56, 64, -90.0), (51, 64, TISSUE_HU), (11, 96, 550.0), (9, 96, 170.0)):
        tissue[np.broadcast_to((column - 64) ** 2 + (row - centre) ** 2 < radius**2, tissue.shape)] = hu
    return make(scanner, [Ellipsoid(*deposit) for deposit in deposits], seed, tissue)
