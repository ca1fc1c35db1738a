"""Places near one deposit: the alignment of the two scans, made straight around it, so that many points move at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.followup.aligning import Aligned

Points = NDArray[Any]
LEAST_REACH_MM = 6.0


@dataclass(frozen=True)
class Local:
    """follow-up = at + turn (baseline - centre). LPS [mm]"""

    centre: Points
    at: Points
    turn: NDArray[Any]

    @classmethod
    def of(cls, aligned: Aligned, centre: Points, reach_mm: float) -> Local:
        """The alignment around a baseline position, fitted to how it moves points up to `reach_mm` away."""
        steps = np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3), np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T / 3**0.5])
        offsets = steps * max(reach_mm, LEAST_REACH_MM)
        moved = aligned.to_followup(centre + offsets)
        design = np.column_stack([np.ones(len(offsets)), offsets])
        fitted = np.linalg.lstsq(design, moved, rcond=None)[0]
        return cls(np.asarray(centre, float), fitted[0], fitted[1:].T)

    def forward(self, points: Points) -> Points:
        """Baseline to follow-up, (n, 3). LPS [mm]"""
        return np.asarray(self.at + (points - self.centre) @ self.turn.T)

    def backward(self, points: Points) -> Points:
        """Follow-up to baseline, (n, 3). LPS [mm]"""
        return np.asarray(self.centre + (points - self.at) @ np.linalg.inv(self.turn).T)

    def shifted(self, by: Points) -> Local:
        """The same with follow-up positions falling on baseline positions moved by `by`. [mm]"""
        return replace(self, centre=self.centre + by)
