"""Intervals against an independent implementation and published examples."""

import math

import pytest
from scipy import stats

from resorb.consult.numbers import newcombe_1998, random_effects, student_1908, wilson_1927


@pytest.mark.parametrize(("events", "of"), [(0, 10), (1, 9), (11, 92), (5, 5), (150, 300)])
def test_wilson_against_scipy(events, of):
    expected = stats.binomtest(events, of).proportion_ci(method="wilson")
    found = wilson_1927(events, of)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_newcombe_against_his_own_table():
    """Newcombe, Stat Med 1998;17:873, Table II: 56/70 - 48/80, method 10: 0.0524 to 0.3339; 9/10 - 3/10: 0.1705 to 0.8090."""
    assert newcombe_1998(56, 70, 48, 80)[1:] == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe_1998(9, 10, 3, 10)[1:] == pytest.approx((0.1705, 0.8090), abs=5e-5)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 8, 13, 40, 121])
def test_students_t_against_scipy(degrees):
    assert student_1908(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_equal_studies_pool_to_their_common_proportion():
    found = random_effects(((10, 50), (20, 100), (40, 200)))
    assert found.value == pytest.approx(0.2)
    assert found.tau == 0
    assert found.low < 0.2 < found.high
    assert found.predicts_low <= found.low
    assert found.predicts_high >= found.high


def test_reml_maximises_the_restricted_likelihood():
    """The between-study variance is where a literal restricted likelihood is highest."""
    counts = ((11, 92), (30, 80), (5, 60), (40, 75))
    effects = [math.log(e / (n - e)) for e, n in counts]
    variances = [1 / e + 1 / (n - e) for e, n in counts]

    def likelihood(tau2):
        weights = [1 / (v + tau2) for v in variances]
        mean = sum(w * y for w, y in zip(weights, effects, strict=True)) / sum(weights)
        squares = sum(w * (y - mean) ** 2 for w, y in zip(weights, effects, strict=True))
        return 0.5 * (sum(map(math.log, weights)) - math.log(sum(weights)) - squares)

    best = max((n / 1000 for n in range(5000)), key=likelihood)
    assert random_effects(counts).tau ** 2 == pytest.approx(best, abs=2e-3)


def test_studies_that_differ_predict_a_wide_range():
    found = random_effects(((2, 100), (50, 100), (95, 100)))
    assert found.tau > 1
    assert found.predicts_high - found.predicts_low > found.high - found.low > 0.5


def test_a_study_without_events_can_be_pooled():
    assert 0 < random_effects(((0, 20), (1, 30), (2, 40))).value < 0.1
