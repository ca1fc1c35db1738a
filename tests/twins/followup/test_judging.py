"""Holm's test against what it stands for: a change is called only if every set of hypotheses that holds it would be refused."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from resorb.followup.judging import FAMILY, SINGLE, call


def refused_in_every_set(p_values, i):
    """Closed testing, literally: each set that holds i has its smallest p at or below the family's share."""
    others = [n for n in range(len(p_values)) if n != i]
    for size in range(len(others) + 1):
        for chosen in combinations(others, size):
            group = [p_values[n] for n in (i, *chosen)]
            if min(group) > FAMILY / len(group):
                return False
    return p_values[i] <= SINGLE


@given(st.lists(st.sampled_from([0.0, 1e-6, 0.004, 0.0101, 0.0126, 0.017, 0.02, 0.021, 0.03, 0.3, 1.0]), max_size=6))
def test_the_step_down_test_is_the_closed_test(p_values):
    assert [c.changed for c in call(p_values)] == [refused_in_every_set(p_values, i) for i in range(len(p_values))]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_a_change_is_called_where_it_passes_the_critical_value_and_only_there(p_values):
    from statistics import NormalDist

    for one in call(p_values):
        level = 2 * NormalDist().cdf(-one.z)
        assert one.changed == (one.p <= level * (1 + 1e-9))
