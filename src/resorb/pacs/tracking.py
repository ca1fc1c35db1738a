"""Names that last: UIDs that follow from content, and what a deposit is called in every study it is seen in."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.findings import Candidate
from resorb.ct.scan import Scan
from resorb.terms.change import Change


@dataclass(frozen=True, slots=True)
class Track:
    """What a deposit is called: a UID for programs and a short name for people, the same at every time point.

    The name ends in the day of the scan that it is from, where that scan has one: `deposit 71b69f6f of 20250301`.
    """

    uid: str
    name: str

    @property
    def day(self) -> str:
        """The day of the scan that the name is from (YYYYMMDD); after every day where it is not known."""
        said = re.search(r" of (\d{8})\b", self.name)
        return said[1] if said else "unknown"


def uid_of(*parts: object) -> str:
    """A UID under 2.25 (PS3.5, B.2) that follows from the parts: same parts, same UID."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def content_seed(*parts: Any) -> str:
    """One hash over everything a result says; new UIDs follow from it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def track_of(scan: Scan, flat: NDArray[Any]) -> Track:
    """The name of a deposit, from the scan and the deposit's own voxels (flat indices, sorted), whatever else was found."""
    uid = uid_of("deposit", scan.unique_id, scan.identity, hashlib.sha256(np.ascontiguousarray(flat, "<i8").tobytes()).hexdigest())
    return Track(uid, dated(f"deposit {hashlib.sha256(uid.encode()).hexdigest()[:8]}", scan))


def dated(name: str, scan: Scan) -> str:
    """A name with the day of its scan."""
    day = scan.acquisition.acquired or ""
    return f"{name} of {day}" if re.fullmatch(r"\d{8}", day) else name


def carried(baseline: Sequence[Track], followup: Sequence[Track], own: Sequence[Track], change: Change) -> tuple[Track, ...]:
    """The follow-up's deposits under the names their matches had at baseline.

    Merged deposits go on under the first name. Of the pieces of a split one, the first keeps the name and the others get names
    of their own that follow from it. A new deposit keeps the name it has; its `own`, where that name is one of the baseline's.
    """
    taken = {track.uid for track in baseline}
    out = [plain if track.uid in taken else track for track, plain in zip(followup, own, strict=True)]
    for pair in change.deposits:
        if not pair.baseline or not pair.followup:
            continue
        name = baseline[pair.baseline[0] - 1]
        for piece, number in enumerate(pair.followup):
            out[number - 1] = name if piece == 0 else Track(uid_of(name.uid, "piece", piece + 1), f"{name.name} piece {piece + 1}")
    return tuple(out)


def voxel_key(scan: Scan, candidate: Candidate) -> str:
    """What the voxels of a deposit are, whoever wrote them down."""
    return hashlib.sha256(str(scan.hu.shape).encode() + np.sort(np.asarray(candidate.flat, "<i8")).tobytes()).hexdigest()
