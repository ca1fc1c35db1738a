"""Matching against a slow and literal one: every pairing tried, every voxel held against every voxel."""

from itertools import permutations

import numpy as np
import pytest

from resorb.followup.matching import INSIDE_SHARE, SAME_PLACE_MM, SLACK_MM, Cloud, Group, match, overlaps

HALF = np.array([0.4, 0.4, 0.8])


def blob(random, centre, radius):
    at = random.uniform(-radius, radius, (30, 3))
    return centre + at[np.linalg.norm(at, axis=1) < radius]


def slow_share(one, other):
    reach = other.half + max(one.error_mm, other.error_mm) + SLACK_MM
    inside = 0
    for point in one.points:
        inside += any((abs(point - voxel) <= reach).all() for voxel in other.points)
    return inside / len(one.points)


def slow_score(one, other):
    share = max(slow_share(one, other), slow_share(other, one))
    if share == 0:
        return 0.0
    radius = [max(np.linalg.norm(p - c.points.mean(0)) for p in c.points) for c in (one, other)]
    width = np.hypot(SAME_PLACE_MM + max(one.error_mm, other.error_mm), min(radius))
    apart = np.linalg.norm(one.points.mean(0) - other.points.mean(0))
    return (0.05 + 0.95 * share) * np.exp(-0.5 * (apart / width) ** 2)


def slow_match(before, after):
    """The best of all pairings, then what is left over joins what holds it."""
    table = [[slow_score(a, b) for b in after] for a in before]
    best, pairs = -1.0, {}
    slots = [*range(len(after)), *[None] * len(before)]
    for chosen in set(permutations(slots, len(before))):
        total = sum(table[i][j] for i, j in enumerate(chosen) if j is not None)
        if total > best + 1e-12:
            best, pairs = total, {i: j for i, j in enumerate(chosen) if j is not None and table[i][j] > 0}
    groups = [({i}, {j}) for i, j in pairs.items()]
    for i, a in enumerate(before):
        if i not in pairs:
            shares = [slow_share(a, b) for b in after]
            host = next((g for g in groups if shares and max(shares) >= INSIDE_SHARE and int(np.argmax(shares)) in g[1]), None)
            host[0].add(i) if host else groups.append(({i}, set()))
    for j, b in enumerate(after):
        if j not in pairs.values():
            shares = [slow_share(b, a) for a in before]
            host = next((g for g in groups if shares and max(shares) >= INSIDE_SHARE and int(np.argmax(shares)) in g[0] and g[1]), None)
            host[1].add(j) if host else groups.append((set(), {j}))
    return {Group(tuple(sorted(a)), tuple(sorted(b))) for a, b in groups}


@pytest.mark.parametrize("seed", range(25))
def test_the_fast_matching_is_the_slow_one(seed):
    random = np.random.default_rng(seed)
    centres = random.uniform(-7, 7, (4, 3))
    before = [Cloud(blob(random, c, random.uniform(1.5, 3)), HALF, 0.5) for c in centres[: random.integers(1, 5)]]
    moved = [c + random.normal(0, 0.5, 3) for c in centres[random.integers(0, 2) :]]
    after = [Cloud(blob(random, c, random.uniform(1.5, 3)), HALF, 0.5) for c in moved[: random.integers(1, 5)]]
    mine, theirs = overlaps(before, after)
    for i, a in enumerate(before):
        for j, b in enumerate(after):
            assert (mine[i, j], theirs[i, j]) == pytest.approx((slow_share(a, b), slow_share(b, a)))
    assert set(match(before, after)) == slow_match(before, after)


def test_neighbours_five_mm_apart_that_both_moved_towards_each_other_are_not_swapped():
    random = np.random.default_rng(1)
    places = np.array([[0, 0, 0], [5, 0, 0], [5, 5, 0.0]])
    before = [Cloud(blob(random, c, 1.5), HALF, 1.0) for c in places]
    after = [Cloud(blob(random, c + np.array([1.2, 0.4, 0]), 1.5), HALF, 1.0) for c in places[[2, 0, 1]]]
    assert match(before, after) == (Group((0,), (1,)), Group((1,), (2,)), Group((2,), (0,)))


def test_nothing_on_one_side_is_gone_or_new():
    one = Cloud(np.zeros((1, 3)), HALF)
    assert match([one], []) == (Group((0,), ()),)
    assert match([], [one]) == (Group((), (0,)),)
    assert match([], []) == ()
