"""Diagnoses, medicines, procedures, reports, imaging studies and the person: what each says and leaves unknown."""

import pytest

from resorb.consult import assess
from resorb.evidence import library
from resorb.fhir import read
from tests.records import ATC, DCM, ICD10CM, PERSON, RXNORM, SNOMED, bundle, coded, condition, lab, medicine, patient, procedure


def facts(*resources, **more):
    return {f.word: f.present for f in read(bundle(patient(), *resources), **more).facts if f.group not in ("sex", "diagnosis")}


def passed(*resources):
    return {u.says for u in read(bundle(patient(), *resources)).read_from if not u.used}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("N18.6", {"ckd", "kidney_failure"}),
        ("N186", {"ckd", "kidney_failure"}),
        ("N18.31", {"ckd"}),
        ("E11.22", {"diabetes", "ckd"}),
        ("M75.31", {"shoulder", "tendon", "calcification"}),
        ("M65.262", {"tendon", "leg", "calcification"}),
        ("N20.1", {"ureter", "stone"}),
        ("K80.20", {"gallbladder.lumen", "stone"}),
        ("I25.84", {"coronary_disease", "coronary_artery", "calcification"}),
        ("M61.051", {"muscle", "thigh", "ossification", "injury"}),
        ("D86.0", {"sarcoidosis"}),
        ("J06.9", set()),
    ],
)
def test_a_code_stands_for_all_that_begin_with_it(code, words):
    assert facts(condition(code)) == dict.fromkeys(words, True)


KIDNEYS = [condition("N18.6"), lab("2777-1", 7.2, "mg/dL")]


def first(*resources):
    return [k.id for k in assess(read(bundle(patient(), *resources)), library()).kinds if k.rank == 1]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("M75.30", "calcific_tendinopathy"),
        ("M75.31", "calcific_tendinopathy"),
        ("M65.262", "calcific_tendinopathy"),
        ("M76.42", "ligament_calcification"),
        ("M61.051", "myositis_ossificans"),
        ("M61.251", "neurogenic_heterotopic_ossification"),
        ("M61.331", "heterotopic_ossification"),
        ("M61.552", "heterotopic_ossification"),
        ("M11.261", "cppd"),
        ("M48.14", "dish"),
        ("I25.84", "coronary_calcification"),
        ("I34.81", "mitral_annular_calcification"),
        ("H47.323", "eye_calcification"),
        ("K04.2", "pulp_stone"),
        ("N20.0", "kidney_stone"),
        ("N20.1", "ureteral_stone"),
        ("N42.0", "prostatic_calcification"),
    ],
)
def test_a_diagnosis_that_names_a_kind_brings_it_first_even_where_the_blood_speaks_for_another(code, kind):
    assert first(condition(code)) == [kind]
    assert first(condition(code), *KIDNEYS) == [kind]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (condition("N13.2"), "ureteral_stone"),
        (condition("J84.02"), "alveolar_microlithiasis"),
        (condition("M11.012"), "calcific_tendinopathy"),
        (condition("M61.461"), "dystrophic_soft_tissue_calcification"),
        (condition("48638002", system=SNOMED), "nephrocalcinosis"),
        ({**condition("x"), "code": {"text": "Ossification of posterior longitudinal ligament"}}, "opll"),
        ({**condition("x"), "code": {"text": "Calcific uremic arteriolopathy (disorder)"}}, "calciphylaxis"),
        ({**condition("x"), "code": {"text": "Porcelain gallbladder"}}, "porcelain_gallbladder"),
        ({**condition("x"), "code": {"text": "Chronic calcific pancreatitis"}}, "pancreatic_calcification"),
        ({**condition("x"), "code": {"text": "Broncholithiasis"}}, "broncholithiasis"),
        ({**condition("x"), "code": {"text": "Calcific aortic stenosis"}}, "aortic_valve_calcification"),
        ({**condition("x"), "code": {"text": "Calcific pericarditis"}}, "pericardial_calcification"),
    ],
)
def test_a_diagnosis_that_names_a_kind_brings_it_first(resource, kind):
    assert first(resource) == [kind]


@pytest.mark.parametrize("more", [{"verified": "refuted"}, {"verified": "provisional"}, {"clinical": "resolved"}])
def test_a_diagnosis_that_is_not_sure_or_not_there_names_nothing(more):
    assert first(condition("J84.02", **more)) == []


def test_what_a_diagnosis_named_is_told_as_used_and_never_asked_for():
    case = read(bundle(patient(), condition("M75.31"), *KIDNEYS))
    assert not [u for u in case.read_from if not u.used and "M75.31" in u.entry]
    assert any(u.used and "calcific tendinitis: there (diagnosis" in u.says for u in case.read_from)
    said = assess(case, library())
    assert any(w.says == "a diagnosis in the record names it" and w.source == ("expert",) for w in said.kinds[0].why)
    assert not [a for a in said.ask_next if a.group == "diagnosis"]


def test_snomed_codes_are_whole():
    assert facts(condition("709044004", system=SNOMED)) == {"ckd": True}
    assert facts(condition("70904400", system=SNOMED)) == {}


def test_codes_of_other_systems_are_not_guessed():
    assert facts(condition("N18.6", system="http://hl7.org/fhir/sid/icd-10")) == {}
    assert facts(condition("N18.6", system="urn:local")) == {}


@pytest.mark.parametrize(("verified", "present"), [("refuted", False), ("provisional", None), ("differential", None), ("confirmed", True)])
def test_verification_decides(verified, present):
    assert facts(condition("D86.0", verified=verified)) == {"sarcoidosis": present}


def test_entered_in_error_says_nothing():
    assert facts(condition("D86.0", verified="entered-in-error")) == {}
    assert "it was entered in error" in passed(condition("D86.0", verified="entered-in-error"))


@pytest.mark.parametrize("clinical", ["resolved", "inactive", "remission"])
def test_what_is_over_says_nothing_of_now_unless_it_is_a_thing_that_happened(clinical):
    assert facts(condition("D86.0", clinical=clinical)) == {}
    assert facts(condition("T20.30XA", clinical=clinical)) == {"burn": True}


def test_older_releases_wrote_their_states_as_text():
    assert facts(condition("D86.0", clinicalStatus="active", verificationStatus="refuted")) == {"sarcoidosis": False}


def test_a_diagnosis_in_words_is_read_only_when_it_is_the_very_word():
    assert facts({**condition("x"), "code": {"text": "Primary hyperparathyroidism (disorder)"}}) == {"hyperparathyroidism_primary": True}
    assert facts({**condition("x"), "code": {"text": "no primary hyperparathyroidism"}}) == {}
    assert facts({**condition("x"), "code": {"text": "mother has sarcoidosis"}}) == {}


def test_the_newer_entry_decides_and_one_moment_that_disagrees_is_unknown():
    old, new = condition("D86.0", recordedDate="2020-01-01"), condition("D86.0", verified="refuted", recordedDate="2024-01-01")
    assert facts(old, new) == facts(new, old) == {"sarcoidosis": False}
    assert facts(condition("D86.0"), condition("D86.0", verified="refuted")) == {"sarcoidosis": None}
    assert facts(condition("D86.0"), condition("D86.0", verified="provisional", recordedDate="2025-03-01")) == {"sarcoidosis": True}


def test_what_is_denied_but_implied_is_left_out():
    assert facts(condition("Z99.2"), condition("N18.4", verified="refuted")) == {"dialysis_patient": True}


def test_the_body_site_counts_where_a_deposit_is_told():
    site = [coded(SNOMED, "72696002")]
    assert facts(condition("M11.0", bodySite=site)) == {"calcification": True, "knee": True}
    assert facts(condition("D86.0", bodySite=site)) == {"sarcoidosis": True}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Warfarin Sodium 5 MG Oral Tablet", "warfarin"),
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "diabetes_medicine"),
        ("Rosuvastatin calcium 10 MG Oral Tablet", "statin"),
        ("1 ML Denosumab 60 MG/ML Prefilled Syringe", "denosumab"),
        ("Hydrochlorothiazide 25 MG", "thiazide"),
    ],
)
def test_a_medicine_is_known_by_the_name_it_begins_with(text, word):
    assert facts(medicine(text)) == {word: True}


def test_each_part_of_a_combination_is_a_medicine_and_a_salt_is_none():
    assert facts(medicine("Amlodipine 5 MG / Atorvastatin calcium 10 MG Oral Tablet")) == {"antihypertensive": True, "statin": True}
    assert facts(medicine("Nystatin 100 UNT/ML Oral Suspension")) == {}


@pytest.mark.parametrize(
    ("system", "code", "word"), [(RXNORM, "11289", "warfarin"), (ATC, "B01AA03", "warfarin"), (ATC, "C10AA05", "statin")]
)
def test_a_medicine_is_known_by_its_code(system, code, word):
    assert facts(medicine("", medicationCodeableConcept=coded(system, code))) == {word: True}


@pytest.mark.parametrize("status", ["stopped", "completed", "cancelled", "on-hold", "draft", "entered-in-error", "unknown"])
def test_a_medicine_that_is_not_taken_now_is_not_used(status):
    assert facts(medicine("Warfarin 5 MG", status=status)) == {}


def test_a_medicine_that_is_said_not_to_be_taken_is_absent():
    said = {**medicine("Warfarin 5 MG", status="not-taken"), "resourceType": "MedicationStatement"}
    assert facts(said) == {"warfarin": False}


def test_a_plan_is_no_order():
    assert facts(medicine("Warfarin 5 MG", intent="plan")) == {}
    assert facts(medicine("Warfarin 5 MG", doNotPerform=True)) == {}


def test_a_medicine_is_found_in_the_bundle_and_inside_its_order():
    drug = {"resourceType": "Medication", "id": "m", "code": {"text": "Lithium carbonate 300 MG"}}
    order = medicine("x", medicationReference={"reference": "Medication/m"})
    del order["medicationCodeableConcept"]
    assert facts(order, drug) == {"lithium": True}
    inside = {**order, "medicationReference": {"reference": "#m"}, "contained": [drug]}
    assert facts(inside) == {"lithium": True}


def test_what_was_done_is_an_option_or_a_thing_that_happened():
    case = read(
        bundle(patient(), procedure("70536003"), procedure("265764009", status="in-progress"), procedure("38102005", status="not-done"))
    )
    assert [(d.option, d.when) for d in case.done] == [("kidney_transplantation", "2024-06-01")]
    assert {f.word for f in case.facts if f.present and f.group == "exposure"} == {"kidney_transplant", "dialysis"}


def report(**more):
    told = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CT"}, "subject": PERSON}
    return {**told, "effectiveDateTime": "2025-01-02", **more}


STUDY = {
    "resourceType": "ImagingStudy", "id": "s", "status": "available", "subject": PERSON, "started": "2025-01-02",
    "series": [{"uid": "1.2", "modality": {"system": DCM, "code": "CT"}, "bodySite": {"system": SNOMED, "code": "64033007"}}],
}  # fmt: skip


def test_a_coded_conclusion_is_read_and_text_is_not():
    assert facts(report(conclusionCode=[coded(SNOMED, "48638002")])) == {"kidney": True, "calcification": True}
    assert facts(report(conclusion="nephrocalcinosis")) == {}
    assert facts(report(conclusionCode=[coded(SNOMED, "48638002")], status="registered")) == {}


def test_where_was_looked_is_not_where_a_deposit_lies():
    assert facts(STUDY) == {}
    assert facts(STUDY, condition("N20.0")) == {"kidney": True, "stone": True, "ct": True}
    assert facts(STUDY, condition("M75.31")) == {"shoulder": True, "tendon": True, "calcification": True}
    told = report(conclusionCode=[coded(SNOMED, "6595006")], imagingStudy=[{"reference": "ImagingStudy/s"}])
    assert facts(STUDY, told) == {"calcification": True, "ct": True, "kidney": True}


def test_a_deposit_measured_on_a_study_was_seen_on_it_and_another_measure_says_nothing_of_one():
    from_study = {"derivedFrom": [{"reference": "ImagingStudy/s"}]}
    score = lab("x", 120, "{AU}", code=coded(SNOMED, "450360000"), **from_study)
    assert facts(STUDY, score) == {"ct": True, "kidney": True}
    assert facts(STUDY, lab("10230-1", 55, "%", **from_study)) == {}


# --- the person ---


def age(*resources, person=None, **more):
    return next((r.value for r in read(bundle(person or patient(), *resources), **more).readings if r.quantity == "age"), None)


def test_age_is_that_of_the_newest_entry_or_of_the_day_asked_about():
    assert age(lab("2777-1", 4, "mg/dL", when="2020-05-04")) == pytest.approx(60, abs=0.01)
    assert age(lab("2777-1", 4, "mg/dL", when="2020-05-04"), date="2030-05-04") == pytest.approx(70, abs=0.01)
    assert age() is None
    assert age(date="2030") == pytest.approx(70, abs=0.6)


def test_what_is_later_than_the_day_asked_about_is_not_used():
    assert facts(condition("D86.0", recordedDate="2025-01-01"), date="2024-06") == {}


def test_age_stops_at_death_and_an_impossible_age_is_not_used():
    dead = patient(deceasedDateTime="2000-05-04")
    assert age(lab("2777-1", 4, "mg/dL", when="2001-01-01"), person=dead) == pytest.approx(40, abs=0.01)
    assert age(lab("2777-1", 4, "mg/dL", when="9999-12-31")) is None
    assert age(lab("2777-1", 4, "mg/dL"), person=patient(birthDate="2999")) is None
    assert age(lab("2777-1", 4, "mg/dL"), person=patient(birthDate="once")) is None


def test_a_birth_year_alone_gives_the_age_to_within_a_year():
    assert age(lab("2777-1", 4, "mg/dL", when="2020-07-01"), person=patient(birthDate="1960")) == pytest.approx(60, abs=0.5)


def test_a_gender_that_is_no_word_is_not_guessed():
    assert {f.word for f in read(bundle(patient(gender="other"))).facts} == set()


def test_an_infant_is_told_in_months():
    case = read(bundle(patient(birthDate="2025-01-01"), lab("2777-1", 4, "mg/dL", when="2025-04-01")))
    assert next(r.written for r in case.readings if r.quantity == "age").startswith("3.0 months")


def test_icd_codes_need_no_dot():
    assert facts(condition("E210", system=ICD10CM)) == {"hyperparathyroidism_primary": True}
