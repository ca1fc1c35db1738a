"""A FHIR record through Python and the command line: what is used is said; Synthea patients yield what was read by eye."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

import resorb
from resorb.report import to_html, to_json, to_text
from resorb.terms.errors import CaseRefused
from tests.laws.test_fhir import mutated
from tests.records import bundle, condition, lab, mineral_record, patient

SYNTHEA = Path(__file__).parents[3] / "shared" / "data" / "fhir"
here = pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the Synthea patients stand beside the project, in ../shared/data/fhir")


def run(*arguments, stdin=""):
    return subprocess.run([sys.executable, "-m", "resorb", *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    made = mineral_record()
    made["entry"].append({"resource": {"resourceType": "CarePlan", "id": "c"}})
    path = tmp_path_factory.mktemp("fhir") / "bundle.json"
    path.write_text(json.dumps(made))
    return path


def test_a_bundle_is_answered_and_says_what_it_used_and_what_not(record):
    done = run("assess", record)
    assert done.returncode == 0
    for said in (
        "Used of the record",
        "serum phosphate: 7.2 mg/dL, 2025-02-01; 1 older kept as the trend",
        "Not used of the record",
        "CarePlan",
    ):
        assert said in done.stdout
    assert "primary hyperparathyroidism: not there" in done.stdout


def test_python_and_the_command_line_give_the_same_bytes(record):
    said = resorb.assess(resorb.read_case(record))
    assert run("assess", record, "--json").stdout == run("assess", "-", "--json", stdin=record.read_text()).stdout == to_json(said) + "\n"
    assert json.loads(to_json(said))["read_from"]


def test_the_page_says_it_too(record):
    said = resorb.assess(resorb.read_case(record))
    page = to_html(said)
    assert "What was used of the record" in page
    assert "does not read this kind of entry" in page


def test_a_record_and_the_typed_case_it_means_are_answered_alike():
    typed = {
        "age": 64, "sex": "female", "site": ["shoulder", "tendon"], "findings": ["calcification"],
        "labs": {"phosphate": "7.2 mg/dL", "pth": "85 pmol/L", "calcium": "9.1 mg/dL", "albumin": "3.4 g/dL"},
        "conditions": ["calcific tendinitis", "ckd", "kidney_failure", "dialysis_patient", {"hyperparathyroidism_primary": "absent"}],
        "medicines": ["noncalcium_binder", "statin"], "exposures": ["dialysis"],
    }  # fmt: skip
    one, two = resorb.assess(resorb.read_case(typed)), resorb.assess(resorb.read_case(mineral_record()))
    assert [(k.id, k.fit) for k in one.kinds] == [(k.id, k.fit) for k in two.kinds]
    assert [f.id for f in one.red_flags] == [f.id for f in two.red_flags]


def test_high_phosphate_and_pth_of_a_record_reach_the_answer():
    said = resorb.assess(resorb.read_case(mineral_record()))
    reasons = " ".join(w.says for k in said.kinds for w in k.why)
    assert "phosphate" in reasons
    assert said.causes[0].id == "ckd_mbd"


def test_nothing_is_inferred_from_what_a_record_does_not_hold():
    bare = resorb.read_case(bundle(patient(), condition("M75.31")))
    assert {r.quantity for r in bare.readings} == {"age"}
    assert all(f.present for f in bare.facts)
    asked = {a.id for a in resorb.assess(bare).ask_next}
    with_labs = resorb.read_case(bundle(patient(), condition("M75.31"), lab("2777-1", 3.5, "mg/dL")))
    assert asked
    assert "phosphate" not in {a.id for a in resorb.assess(with_labs).ask_next}


def test_the_answer_goes_back_as_fhir(record, tmp_path):
    printed = run("assess", record, "--fhir", "-")
    assert printed.returncode == 0
    made = json.loads(printed.stdout)
    Bundle.model_validate(made)
    target = tmp_path / "answer.json"
    written = run("assess", record, "--fhir", target)
    assert json.loads(target.read_text()) == made
    assert f"wrote {target}" in written.stderr
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there_is_said(record, tmp_path):
    done = run("assess", record, "--fhir", tmp_path / "none" / "x.json")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_day_asked_about_and_the_person_are_said_on_the_command_line(record, tmp_path):
    assert "48 years" in run("assess", record, "--date", "2008-08").stdout
    several = tmp_path / "two.json"
    several.write_text(json.dumps(bundle(patient(), patient(id="q", gender="male"), condition("N20.1"))))
    refused = run("assess", several)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert "2 patients" in refused.stderr
    assert run("assess", several, "--patient", "p").returncode in (0, 4)


@pytest.mark.parametrize(
    "broken", ['{"resourceType": "Bundle", "entry": [', '{"resourceType": 3}', '<Bundle xmlns="http://hl7.org/fhir"/>']
)
def test_what_cannot_be_read_is_one_line_and_exit_3(broken):
    done = run("assess", "-", stdin=broken)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


# --- patients made by Synthea: what each holds was read by eye ---

PRESENT = {
    "Cletus": {"male"},
    "Cruz": {"female", "coronary_disease", "obesity", "atrial_fibrillation", "copd", "smoking", "statin", "antihypertensive",
             "antiplatelet", "calcium_blocker_use", "digoxin", "warfarin"},
    "Josue": {"male", "hypoxia", "hypertension", "metabolic_syndrome", "diabetes", "hyperlipidaemia", "anaemia", "copd", "stroke_known",
              "ckd", "smoking", "thiazide", "diabetes_medicine", "subcutaneous_insulin"},
    "Kristopher": {"male", "epilepsy", "obesity", "copd", "osteoarthritis", "smoking", "nsaid_use"},
    "Leatrice": {"female"},
    "Lupe": {"male", "hypoxia", "metabolic_syndrome", "anaemia"},
    "Lyndia": {"female", "dementia_known", "obesity"},
    "Maurice": {"female", "injection"},
    "Mitch": {"male", "coronary_disease", "myocardial_infarction", "heart_surgery"},
    "Tony": {"male", "hypertension", "osteoarthritis", "smoking", "thiazide", "nsaid_use"},
    "Van": {"male", "otitis_media"},
}  # fmt: skip
AGES = dict(zip(PRESENT, (7, 66, 65, 59, 6, 38, 55, 16, 21, 48, 4), strict=True))


def of(name):
    return next(SYNTHEA.glob(f"{name}_*.json"))


def newest(case, quantity):
    return max((r for r in case.readings if r.quantity == quantity), key=lambda r: r.when or "")


@here
@pytest.mark.parametrize("name", PRESENT)
def test_a_synthea_patient_yields_what_was_read_by_eye(name):
    case = resorb.read_case(of(name))
    assert {f.word for f in case.facts if f.present} == PRESENT[name]
    assert {f.word for f in case.facts if f.present is False} <= {"smoking"}
    assert int(newest(case, "age").value) == AGES[name]
    assert not {"phosphate", "pth"} & {r.quantity for r in case.readings}
    text = to_text(resorb.assess(case), why=True)
    assert "Used of the record" in text
    total = sum(u.count for u in case.read_from if u.entry.startswith(("Encounter", "Claim")))
    held = [e["resource"]["resourceType"] for e in json.loads(of(name).read_text())["entry"]]
    assert total == sum(kind in ("Encounter", "Claim") for kind in held)


@here
def test_labs_coded_in_blood_are_seen_and_newest_values_that_disagree_are_not_known():
    case = resorb.read_case(of("Josue"))
    before = [r for r in case.readings if r.when and r.when.startswith("2021-02-13")]
    values = {r.quantity: r.value for r in before}
    assert values["calcium"] == pytest.approx(8.68752 * 0.249513, rel=1e-4)
    assert values["creatinine"] == pytest.approx(2.26221 * 88.4017, rel=1e-4)
    assert values["egfr"] == pytest.approx(37.3005, rel=1e-4)
    assert (newest(case, "calcium").value, newest(case, "calcium").level) == (None, None)
    assert (newest(case, "creatinine").value, newest(case, "creatinine").level) == (None, "high")
    assert any("10.0038 mg/dL and 8.85217 mg/dL of one moment" in u.says for u in case.read_from if "49765-1" in u.entry)
    assert [(d.option, d.when) for d in resorb.read_case(of("Mitch")).done] == [("revascularisation", "1976-07-06")]


@here
@pytest.mark.parametrize("name", PRESENT)
def test_no_mutated_patient_gives_a_traceback(name):
    whole = json.loads(of(name).read_text())
    for seed in range(12):
        dice = random.Random(f"{name}{seed}")
        part = {**whole, "entry": dice.sample(whole["entry"], 25)}
        try:
            resorb.read_case(mutated(part, dice, 12))
        except CaseRefused as refused:
            assert str(refused)
