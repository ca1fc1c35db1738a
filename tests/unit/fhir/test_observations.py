"""Values with units, limits, levels, components, and what is refused and why."""

import pytest

from resorb.consult import assess
from resorb.evidence import library
from resorb.fhir import read
from tests.records import LOINC, SNOMED, bundle, coded, condition, lab, patient


def one(*resources):
    return read(bundle(patient(), *resources))


def why(case, code):
    return [u.says for u in case.read_from if not u.used and code in u.entry]


def value(case, quantity):
    newest = max((r for r in case.readings if r.quantity == quantity), key=lambda r: r.when or "")
    return newest.value


@pytest.mark.parametrize(
    ("code", "given", "unit", "quantity", "expected"),
    [
        ("2777-1", 7.2, "mg/dL", "phosphate", 7.2 * 0.322854),
        ("14879-1", 2.3, "mmol/L", "phosphate", 2.3),
        ("2731-8", 10, "pmol/L", "pth", 94.25),
        ("49765-1", 10, "mg/dL", "calcium", 2.49513),
        ("38483-4", 1, "mg/dL", "creatinine", 88.4017),
        ("33914-3", 58, "mL/min/{1.73_m2}", "egfr", 58),
        ("1751-7", 3.4, "g/dL", "albumin", 34),
        ("6690-2", 7, "10*3/uL", "leukocytes", 7),
        ("8480-6", 120, "mm[Hg]", "systolic_bp", 120),
    ],
)
def test_a_value_stands_in_the_unit_of_its_card(code, given, unit, quantity, expected):
    assert value(one(lab(code, given, unit)), quantity) == pytest.approx(expected)


def test_an_annotated_unit_is_the_unit_without_its_annotation():
    assert value(one(lab("2777-1", 4, "mg/dL{inorganic}")), "phosphate") == pytest.approx(4 * 0.322854)


def test_the_coded_unit_speaks_before_the_shown_one():
    quantity = {"value": 2.4, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    assert value(one(lab("2777-1", 0, "", valueQuantity=quantity)), "phosphate") == 2.4


def test_a_unit_without_a_code_is_read_as_it_is_shown():
    assert value(one(lab("2777-1", 0, "", valueQuantity={"value": 4, "unit": "mg/dL"})), "phosphate") == pytest.approx(1.291416)


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        ({"value": 4, "unit": "mg/g", "code": "mg/g"}, "found the unit 'mg/g'"),
        ({"value": 4}, "it has no unit"),
        ({"value": 400, "unit": "mg/dL"}, "is the unit right?"),
        ({"value": "4", "unit": "mg/dL"}, "no number"),
        ({"value": True, "unit": "mg/dL"}, "no number"),
        ({"value": 4, "unit": "mg/dL", "comparator": "ad"}, "comparator"),
        ({"unit": "mg/dL"}, "it has no value"),
    ],
)
def test_a_value_that_makes_no_sense_is_not_used_and_said(quantity, said):
    case = one(lab("2777-1", 0, "", valueQuantity=quantity))
    assert "phosphate" not in {r.quantity for r in case.readings}
    assert said in why(case, "2777-1")[0]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", "unknown", None])
def test_an_observation_that_is_not_valid_is_not_used(status):
    case = one(lab("2777-1", 7, "mg/dL", status=status))
    assert not [r for r in case.readings if r.quantity == "phosphate"]
    assert "its status is" in why(case, "2777-1")[0]


def test_a_value_that_is_absent_says_its_reason():
    gone = lab("2777-1", 0, "", dataAbsentReason=coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed"))
    del gone["valueQuantity"]
    assert why(one(gone), "2777-1") == ["it has no value: not-performed"]


@pytest.mark.parametrize(
    ("code", "comparator", "given", "unit", "level"),
    [
        ("2731-8", "<", 3, "pg/mL", "low"),
        ("33914-3", ">", 90, "mL/min/{1.73_m2}", "normal"),
        ("33914-3", ">=", 60, "mL/min/{1.73_m2}", "normal"),
        ("33914-3", "<", 15, "mL/min/{1.73_m2}", "very_low"),
        ("2731-8", ">", 2000, "pg/mL", "high"),
        ("1988-5", "<", 0.3, "mg/L", "normal"),
    ],
)
def test_a_limit_gives_the_level_it_proves(code, comparator, given, unit, level):
    quantity = {"value": given, "comparator": comparator, "unit": unit, "code": unit}
    reading = next(r for r in one(lab(code, 0, "", valueQuantity=quantity)).readings if r.quantity != "age")
    assert (reading.value, reading.level) == (None, level)


def test_a_limit_that_proves_nothing_is_not_used():
    case = one(lab("33914-3", 0, "", valueQuantity={"value": 90, "comparator": "<", "unit": "mL/min"}))
    assert "only a limit is known" in why(case, "33914-3")[0]


@pytest.mark.parametrize(("flag", "level"), [("H", "high"), ("HH", "high"), ("L", "low"), ("N", "normal")])
def test_without_a_value_the_laboratory_s_own_verdict_counts(flag, level):
    bare = lab("2777-1", 0, "", interpretation=[coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", flag)])
    del bare["valueQuantity"]
    assert next(r.level for r in one(bare).readings if r.quantity == "phosphate") == level


def test_components_are_read_and_their_panel_is_not_told_as_unknown():
    panel = {
        **lab("85354-9", 0, ""),
        "component": [
            {"code": coded(LOINC, "8480-6"), "valueQuantity": {"value": 151, "unit": "mm[Hg]", "code": "mm[Hg]"}},
            {"code": coded(LOINC, "8462-4"), "valueQuantity": {"value": 90, "unit": "mm[Hg]", "code": "mm[Hg]"}},
        ],
    }
    del panel["valueQuantity"]
    case = one(panel)
    assert value(case, "systolic_bp") == 151
    assert not why(case, "85354-9")
    assert why(case, "8462-4") == ["no card knows this code"]


def test_the_newest_counts_and_the_older_are_kept():
    case = one(lab("2777-1", 4, "mg/dL", when="2024-01-01"), lab("2777-1", 6, "mg/dL", when="2025-01-01T00:30:00+02:00"))
    assert value(case, "phosphate") == pytest.approx(6 * 0.322854)
    assert len([r for r in case.readings if r.quantity == "phosphate"]) == 2
    assert any("1 older kept as the trend" in u.says for u in case.read_from)


def test_values_of_one_moment_that_disagree_leave_the_lab_unknown_and_both_are_named_and_asked_for():
    old = lab("2777-1", 3.5, "mg/dL", when="2024-01-01")
    case = one(lab("2777-1", 4, "mg/dL"), lab("2777-1", 7, "mg/dL"), old, condition("N18.6"), condition("M75.31"))
    newest = max((r for r in case.readings if r.quantity == "phosphate"), key=lambda r: r.when)
    assert newest == ("phosphate", None, None, "4 mg/dL and 7 mg/dL", "2025-02-01")
    assert why(case, "2777-1") == [
        "serum phosphate: 4 mg/dL and 7 mg/dL of one moment (2025-02-01) disagree, so it is not known now: which is right?"
    ]
    assert [u.says for u in case.read_from if u.used and "2777-1" in u.entry] == [
        "serum phosphate: 3.5 mg/dL, 2024-01-01; kept as the trend, since newer ones of one moment disagree"
    ]
    said = assess(case, library())
    asked = next(a for a in said.ask_next if a.id == "phosphate")
    assert asked.question == "Serum phosphate, in mmol/L? The record has 4 mg/dL and 7 mg/dL for one moment: which is right?"
    assert not [w for k in said.kinds for w in (*k.why, *k.against) if "phosphate" in w.says]


def test_values_of_one_moment_that_disagree_but_are_all_high_are_high():
    case = one(lab("2777-1", 9, "mg/dL"), lab("2777-1", 11, "mg/dL"))
    assert [(r.value, r.level) for r in case.readings if r.quantity == "phosphate"] == [(None, "high")]
    assert any(u.used and "high by each" in u.says for u in case.read_from)


def test_one_value_told_in_two_units_does_not_disagree_with_itself():
    case = one(lab("2777-1", 4, "mg/dL"), lab("2777-1", 1.29, "mmol/L"))
    assert value(case, "phosphate") == pytest.approx(1.29, rel=0.01)
    assert not why(case, "2777-1")


def test_an_older_moment_that_disagrees_is_left_out_of_the_trend():
    case = one(lab("2777-1", 4, "mg/dL", when="2020-01-01"), lab("2777-1", 6, "mg/dL", when="2020-01-01"), lab("2777-1", 5, "mg/dL"))
    assert value(case, "phosphate") == pytest.approx(5 * 0.322854)
    assert why(case, "2777-1") == ["4 mg/dL and 6 mg/dL of one moment disagree"]


def test_of_two_codes_at_one_moment_the_card_s_first_counts():
    case = one(lab("33914-3", 40, "mL/min"), lab("98979-8", 55, "mL/min/{1.73_m2}"))
    assert value(case, "egfr") == 55
    assert why(case, "33914-3") == ["a better kind of this lab was taken at the same moment"]


def test_a_value_without_a_date_gives_way_to_one_with():
    case = one(lab("2777-1", 4, "mg/dL", when=None), lab("2777-1", 6, "mg/dL"))
    assert value(case, "phosphate") == pytest.approx(6 * 0.322854)
    assert why(case, "2777-1") == ["it has no date, and others have"]


def test_a_question_is_answered_by_the_code_of_its_answer():
    def smoking(code):
        asked = lab("72166-2", 0, "", valueCodeableConcept=coded(SNOMED, code))
        del asked["valueQuantity"]
        return [f.present for f in one(asked).facts if f.word == "smoking"]

    assert smoking("449868002") == [True]
    assert smoking("266919005") == [False]
    assert smoking("266927001") == []


def test_an_observation_about_someone_else_is_not_used():
    other = lab("2777-1", 7, "mg/dL", subject={"reference": "Patient/another"})
    child = lab("2777-1", 7, "mg/dL", focus=[{"reference": "Patient/child"}])
    case = one(other, child)
    assert case.readings == ()
    assert {u.says for u in case.read_from if "Obs" in u.entry} == {
        "it is about someone else",
        "it is about someone or something else (focus)",
    }


def test_a_concept_of_several_codes_is_known_by_any_and_told_by_its_own_text():
    def coded_twice(text, local="PHOS"):
        codes = [{"system": "urn:local", "code": local}, {"system": LOINC, "code": "2777-1"}]
        return {"coding": codes, **({"text": text} if text else {})}

    first, second = lab("x", 4, "mg/dL", code=coded_twice("P, serum")), lab("x", 400, "mg/dL", code=coded_twice("P, urine?"))
    case = one(first, second, lab("x", 4, "mg/dL", code=coded_twice("", local="P2"), when="2020-01-01"))
    assert value(case, "phosphate") == pytest.approx(4 * 0.322854)
    assert len([r for r in case.readings if r.quantity == "phosphate"]) == 2
    assert {u.entry for u in case.read_from if "2777-1" in u.entry} == {"Observation 2777-1 (P, serum)", "Observation 2777-1 (P, urine?)"}
