"""Reading a case: everything optional, every word from a card, all problems at once."""

import pytest

from resorb.evidence import read_case_mapping, read_case_text
from resorb.evidence.template import template
from resorb.terms.case import Fact
from resorb.terms.errors import CaseRefused


def problems(text, shelf):
    with pytest.raises(CaseRefused) as refused:
        read_case_text(text, shelf, name="x.yaml")
    return [str(p) for p in refused.value.problems]


def test_words_are_read_in_many_spellings(shelf):
    case = read_case_text(
        "site: Supraspinatus Tendon\nfindings: {fluffy margin: yes, sharp_margin: absent}\nsymptoms: [pain, no fever]\nsex: woman", shelf
    )
    assert set(case.facts) == {
        Fact("site", "shoulder.supraspinatus"),
        Fact("finding", "fluffy_margin"),
        Fact("finding", "sharp_margin", False),
        Fact("symptom", "pain"),
        Fact("symptom", "fever", False),
        Fact("sex", "female"),
    }


def test_a_word_under_the_wrong_heading_is_still_understood(shelf):
    assert read_case_text("conditions: [intravenous calcium]", shelf).facts == (Fact("exposure", "iv_calcium"),)


def test_json_and_yaml_are_the_same_case(shelf):
    from_yaml = read_case_text("age: 40\nsite: kidney\nlabs:\n  calcium: 2.9 mmol/L\n", shelf)
    from_json = read_case_text('{"age": 40, "site": "kidney", "labs": {"calcium": "2.9 mmol/L"}}', shelf)
    assert from_yaml == from_json
    assert from_yaml.digest == from_json.digest


def test_labs_in_every_form(shelf):
    forms = [
        "labs: {calcium: 2.9 mmol/L}",
        "labs: {calcium: {value: 2.9, unit: mmol/L}}",
        "labs: [{name: calcium, value: 2.9 mmol/L}]",
        "labs: [{calcium: 2.9 mmol/L}]",
    ]
    assert len({read_case_text(f, shelf).readings[0].value for f in forms}) == 1
    assert read_case_text("labs: {calcium: elevated}", shelf).readings[0].level == "high"
    assert read_case_text("labs: {calcium: unknown}\nsite: kidney", shelf).readings == ()


def test_all_problems_at_once_with_lines(shelf):
    found = problems("age: -3\nsiet: shoulder\nsite: sholder\nlabs: {calcium: 95 mmol/L, phosphate: 2}\nfindings: [xyzzy]", shelf)
    assert [f.split(":")[1] for f in found] == ["1", "2", "3", "4", "4", "5"]
    assert "did you mean" in found[1]
    assert "shoulder" in found[2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "found nothing"),
        ("[1, 2]", "found a list"),
        ("just words", "found a text"),
        ("42", "found a number"),
        ("{}", "found nothing"),
        ("[]", "found an empty list"),
        ("site: [", "not valid YAML"),
        ("site: kidney\nsite: lung", "written twice"),
        ('{"site": "kidney", "site": "lung"}', "written twice"),
        ("a: &x [1]\nb: *x", "anchors"),
        ("site: \x00", "binary"),
        ("age: {value: 3}\nsite: kidney\nalter: 3", "'alter'"),
        ("alter: 48\ngeschlecht: weiblich", "'geschlecht'"),
        ("findings: {sharp_margin: maybe}", "present, absent or unknown"),
        ("findings: 7", "expected a word"),
        ("findings: {sharp_margin: present}\nsymptoms: [pain, {pain: absent}]", "present and absent"),
        ("sex: [female, male]", "contradict"),
        ("labs: {calcium: 2.4 mmol/L}\nmeasures: {calcium: 2.9 mmol/L}", "given twice"),
        ("labs: calcium", "expected names with values"),
        ("labs: {calcium: {value: 2, colour: red}}", "expected value, unit and when"),
        ("done: [{option: barbotage, outcome: xyzzy}]", "outcome"),
        ("done: [{what: barbotage}]", "expected option"),
        ("about: a note", "found no fact"),
        ("size: 12", "without a unit"),
    ],
)
def test_refused(shelf, text, says):
    assert says in "\n".join(problems(text, shelf))


def test_a_narrow_site_denied_and_given(shelf):
    assert "absent" in "\n".join(problems("site: {shoulder.supraspinatus: present, tendon: absent}", shelf))


def test_fifty_megabytes_are_refused_at_once(shelf):
    assert "at most" in problems("a: " + "x" * 50_000_000, shelf)[0]


def test_the_newest_dated_value_is_kept_beside_the_old(shelf):
    case = read_case_text("labs: {calcium: [{value: 2.9 mmol/L, when: 2025-01-01}, {value: 2.3 mmol/L, when: 2025-06-01}]}", shelf)
    assert len(case.readings) == 2


def test_the_template_is_an_empty_case_that_names_every_lab(shelf):
    text = template(shelf)
    assert "found no fact" in problems(text, shelf)[0]
    assert all(f"  {q.id}:" in text for q in shelf.decks.quantities if q.group == "lab")


def test_a_mapping_in_memory(shelf):
    assert read_case_mapping({"site": "kidney"}, shelf).facts == (Fact("site", "kidney"),)
