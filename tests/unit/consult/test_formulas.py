"""Every formula is worked out on the published values its own card names, and refuses what it was not made for."""

from __future__ import annotations

import inspect
from itertools import pairwise

import pytest

from resorb.consult import formulas
from resorb.consult.formulas import compute
from resorb.evidence.cards import Formula
from resorb.evidence.library import library

CARDS = library().formulas
ASIDE = {"expected", "tolerance", "source", "sex", "words"}
CHECKS = [(card, check) for card in CARDS.values() for check in card.checked]


def given(card: Formula, check: dict[str, float | str]) -> tuple[dict[str, float], set[str], set[str]]:
    """Values, words present and words known to be absent. A formula valid for an age gets one when the check names none."""
    facts = {name: float(value) for name, value in check.items() if name not in ASIDE}
    for name, (low, high) in card.valid.items():
        facts.setdefault(name, (low + high) / 2)
    words = {*str(check.get("words", "")).split(), *([str(check["sex"])] if "sex" in check else [])}
    return facts, words, set(card.knows) - words


@pytest.mark.parametrize(("card", "check"), CHECKS, ids=lambda x: x.id if isinstance(x, Formula) else "")
def test_reproduces_the_published_value(card: Formula, check: dict[str, float | str]) -> None:
    value = compute(card, *given(card, check))
    assert value == pytest.approx(float(check["expected"]), abs=float(check["tolerance"]) + 1e-9)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda c: c.id)
def test_every_card_has_its_function_and_takes_what_the_card_needs(card: Formula) -> None:
    names = set(inspect.signature(getattr(formulas, card.id)).parameters) - {"card", "words"}
    assert names == set(card.needs)
    assert card.makes in library().quantities
    assert {n for n in card.needs if n != "sex"} <= set(library().quantities)
    assert {*card.knows, *card.not_with} <= set(library().words)
    assert card.checked


@pytest.mark.parametrize(("card", "check"), CHECKS, ids=lambda x: x.id if isinstance(x, Formula) else "")
def test_anything_missing_means_no_answer(card: Formula, check: dict[str, float | str]) -> None:
    facts, words, absent = given(card, check)
    for name in (n for n in card.needs if n != "sex"):
        assert compute(card, {k: v for k, v in facts.items() if k != name}, words, absent) is None
    if "sex" in card.needs:
        assert compute(card, facts, words - {"male", "female"}, absent) is None
    if card.knows:
        assert compute(card, facts, words) is None, "a risk factor nobody asked about is not absent"
    for word in card.not_with:
        assert compute(card, facts, {*words, word}, absent) is None


def test_outside_the_ages_it_was_made_for_there_is_no_answer() -> None:
    assert compute(CARDS["inker_2021"], {"creatinine": 30, "age": 8}, {"male"}) is None
    assert compute(CARDS["hoff_2001"], {"agatston": 5, "age": 22}, {"female"}) is None
    assert compute(CARDS["mcclelland_2009"], {"agatston": 5, "age": 30}, ()) is None


def test_kidney_function_falls_as_creatinine_rises_through_the_bend() -> None:
    values = [compute(CARDS["inker_2021"], {"creatinine": c, "age": 60}, {"female"}) for c in range(40, 400, 4)]
    assert all(a is not None and b is not None and a > b for a, b in pairwise(values))


def test_the_percentile_climbs_with_the_score() -> None:
    reached = [compute(CARDS["hoff_2001"], {"agatston": s, "age": 57}, {"male"}) for s in (0, 3, 4, 48, 215, 554)]
    assert reached == [0, 0, 25, 50, 75, 90]


def test_high_calcium_scores_raise_the_risk_and_zero_lowers_it() -> None:
    facts = {"age": 60.0, "cholesterol_total": 5.2, "cholesterol_hdl": 1.3, "systolic_bp": 130.0}
    absent = set(CARDS["mcclelland_2015"].knows)
    plain = compute(CARDS["mcclelland_2015_without_cac"], facts, {"male"}, absent)
    none, much = (compute(CARDS["mcclelland_2015"], {**facts, "agatston": s}, {"male"}, absent) for s in (0.0, 800.0))
    assert none is not None and plain is not None and much is not None
    assert none < plain < much
