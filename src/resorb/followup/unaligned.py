"""What was found on two scans that could not be laid on each other: each deposit by itself, matched with nothing."""

from __future__ import annotations

import numpy as np

from resorb.followup.matching import Group
from resorb.followup.pairing import Place, Side
from resorb.followup.placing import Local


def alone(before: Side, after: Side) -> tuple[Place, ...]:
    """Every deposit of both scans, each in its own scan's frame."""
    why = "no deposit can be matched"
    places = []
    for side, is_followup in ((before, False), (after, True)):
        for n, candidate in enumerate(side.findings.candidates):
            centre = side.centre(candidate)
            group = Group((), (n,)) if is_followup else Group((n,), ())
            places.append(Place(group, centre, centre, Local(centre, centre, np.eye(3)), float("inf"), None, None, why, candidate.site))
    return tuple(places)
