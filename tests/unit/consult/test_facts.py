"""What a case means: implied words, three-valued tests, levels by age and sex."""

import msgspec
import pytest

from resorb.consult.facts import Facts
from resorb.evidence import read_case_mapping
from resorb.evidence.cards import Test as Condition


def facts(shelf, **given):
    return Facts(read_case_mapping(given, shelf), shelf)


def holds(found, **test):
    return found.holds(msgspec.convert(test, Condition))


@pytest.mark.parametrize(
    ("given", "test", "expected"),
    [
        ({"site": "supraspinatus"}, {"site": "tendon"}, True),
        ({"site": "shoulder"}, {"site": "shoulder.supraspinatus"}, None),
        ({"site": "kidney"}, {"site": "tendon"}, False),
        ({"findings": ["dense"]}, {"site": "tendon"}, None),
        ({"site": "kidney"}, {"finding": "dense"}, None),
        ({"site": "kidney", "findings": {"dense": "absent"}}, {"finding": "dense"}, False),
        ({"site": "kidney", "findings": {"dense": "unknown"}}, {"finding": "dense"}, None),
        ({"site": "kidney"}, {"finding": ["dense", "rim"]}, None),
        ({"findings": ["rim"]}, {"finding": ["dense", "rim"]}, True),
        ({"findings": {"dense": "absent", "rim": "absent"}}, {"finding": ["dense", "rim"]}, False),
        ({"conditions": {"ckd": "absent"}}, {"condition": "kidney_failure"}, False),
        ({"conditions": ["kidney_failure"]}, {"condition": "ckd"}, True),
        ({"size": "6 mm"}, {"measure": "size", "over": "5 mm"}, True),
        ({"size": "5 mm"}, {"measure": "size", "over": "5 mm"}, False),
        ({"size": "5 mm"}, {"measure": "size", "at_least": "0.5 cm"}, True),
        ({"size": "5 mm"}, {"measure": "size", "under": "5 mm"}, False),
        ({"size": "5 mm"}, {"measure": "size", "at_most": "5 mm"}, True),
        ({"age": "3 weeks"}, {"measure": "age", "under": "1 year"}, True),
        ({"site": "kidney"}, {"measure": "age", "under": "1 year"}, None),
        ({"labs": {"phosphate": "high"}}, {"lab": "phosphate", "is": "high"}, True),
        ({"labs": {"phosphate": "normal"}}, {"lab": "phosphate", "is": "high"}, False),
        ({"labs": {"phosphate": "normal"}}, {"lab": "phosphate", "over": "2 mmol/L"}, None),
        ({"age": 40, "labs": {"phosphate": "2.4 mmol/L"}}, {"lab": "phosphate", "is": "high"}, True),
        ({"age": 40, "labs": {"phosphate": "2.4 mmol/L"}}, {"lab": "phosphate", "is": ["low", "normal"]}, False),
    ],
)
def test_a_test_is_true_false_or_unknown(shelf, given, test, expected):
    assert holds(facts(shelf, **given), **test) is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"all": [{"site": "kidney"}, {"finding": "dense"}]}, None),
        ({"all": [{"site": "tendon"}, {"finding": "dense"}]}, False),
        ({"any": [{"site": "kidney"}, {"finding": "dense"}]}, True),
        ({"any": [{"site": "tendon"}, {"finding": "dense"}]}, None),
        ({"not": {"site": "kidney"}}, False),
        ({"not": {"finding": "dense"}}, None),
    ],
)
def test_kleene(shelf, test, expected):
    assert holds(facts(shelf, site="kidney"), **test) is expected


def test_a_better_quantity_is_believed(shelf):
    found = facts(shelf, age=50, labs={"calcium": "2.9 mmol/L", "calcium_ionised": "1.2 mmol/L"})
    assert holds(found, lab="calcium", **{"is": "normal"}) is True


def test_the_newest_value_counts(shelf):
    labs = {"calcium": [{"value": "3.2 mmol/L", "when": "2024-01-01"}, {"value": "2.3 mmol/L", "when": "2025-01-01"}]}
    assert facts(shelf, age=50, labs=labs).values["calcium"] == 2.3


def test_a_band_that_depends_on_unknown_sex_is_only_used_where_all_agree(shelf):
    card = shelf.quantities["creatinine"]
    lows = {b.sex: b.high for b in card.bands if b.sex and (b.to_years is None or b.to_years > 40) and (b.from_years or 0) <= 40}
    assert set(lows) == {"female", "male"}, "the card should band creatinine by sex"
    between = (lows["female"] + lows["male"]) / 2
    assert facts(shelf, age=40, labs={"creatinine": f"{between} umol/L"}).levels["creatinine"].isdisjoint({"normal", "high"})
    assert "high" in facts(shelf, age=40, sex="female", labs={"creatinine": f"{between} umol/L"}).levels["creatinine"]
    assert "high" in facts(shelf, age=40, labs={"creatinine": "500 umol/L"}).levels["creatinine"]
