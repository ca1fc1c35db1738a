"""The checker names file, line, what was found, what was expected."""

import shutil

import pytest

from resorb.evidence import check
from resorb.evidence.compile import CARDS_DIR

KIND = """\
id: toy
name: toy deposit
family: dystrophic
codes: {icd10cm: [M75.3]}
says: [{says: A toy., source: expert}]
plain: A toy.
sites: [tendon]
recognise:
  must: [{site: tendon}]
  for: [{finding: dense, weight: weak, source: expert}]
outlook:
  - {outcome: resolved, course: untreated, counted: {events: 1, of: 9, by: 1 years}, source: SOURCE, where: Table 1, design: cohort}
cases:
  - {given: {site: tendon}, first: toy}
  - {given: {site: kidney}, not_first: toy}
reviewed: {by: unreviewed, due: 2027-11}
"""


@pytest.fixture(scope="module")
def shelf_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cards")
    for deck in ("words", "quantities", "reasoning", "options"):
        shutil.copytree(CARDS_DIR / deck, folder / deck)
    (folder / "sources").mkdir()
    (folder / "kinds").mkdir()
    for form in ("article", "unverified"):
        card = f"id: {form}_2020\ncitation: A paper.\nyear: 2020\nread: {{form: {form}, by: someone, date: '2026-11-22'}}\n"
        (folder / "sources" / f"{form}_2020.yaml").write_text(card)
    return folder


def found(folder, old, new):
    text = KIND.replace("SOURCE", "article_2020")
    assert old in text
    (folder / "kinds" / "toy.yaml").write_text(text.replace(old, new))
    return [str(p) for p in check(folder) if p.file.startswith("kinds")]


def test_a_sound_card_passes(shelf_folder):
    assert found(shelf_folder, "toy deposit", "toy deposit") == []


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("name: toy deposit", "nom: toy deposit", 1, "unknown field `nom`"),
        ("plain: A toy.\n", "", 1, "missing required field `plain`"),
        ("name: toy deposit", "name: a\nname: b", 3, "written twice"),
        ("events: 1, of: 9", "events: 10, of: 9", 12, "expected 0 <= events <= of"),
        ("counted: {events: 1, of: 9, by: 1 years}", "probability: 0.3", 12, "unknown field `probability`"),
        ("counted: {events: 1, of: 9, by: 1 years}", "reported: {percent: 130}", 12, "0 to 100"),
        (", counted: {events: 1, of: 9, by: 1 years}", "", 12, "exactly one of counted"),
        ("by: 1 years", "by: soon", 12, "expected a number"),
        ("article_2020", "nobody_1900", 12, "id of a source card"),
        ("article_2020", "unverified_2020", 12, "has not been read"),
        ("source: article_2020", "source: expert", 12, "has not been read"),
        ("outcome: resolved", "outcome: vanished", 12, "outcome word"),
        ("course: untreated", "course: prayer", 12, "option card or a course word"),
        ("name: toy deposit", "name: on", 2, "read as something else"),
        ("name: toy deposit", "name: 12:30", 2, "read as something else"),
        ("M75.3", "75.3M", 4, "ICD-10-CM"),
        ("finding: dense", "finding: dence", 10, "id of a finding word"),
        ("finding: dense", "finding: dense, site: tendon", 10, "exactly one"),
        ("finding: dense", "lab: calcium", 10, "expected one of is, over"),
        ("finding: dense", "lab: calcium, over: 3 bananas", 10, "found the unit"),
        ("weight: weak", "weight: 0.7", 10, "Expected `str`"),
        ("sites: [tendon]", "sites: [moon]", 7, "id of a site word"),
        ("first: toy", "first: other", 13, "whose first kind is toy"),
        ("not_first: toy", "first: toy", 13, "not this kind"),
    ],
)
def test_refused_with_file_and_line(shelf_folder, old, new, line, says):
    problems = found(shelf_folder, old, new)
    assert any(p.startswith(f"kinds/toy.yaml:{line}:") and says in p for p in problems), problems


def test_the_same_id_twice(shelf_folder):
    found(shelf_folder, "toy deposit", "toy deposit")
    (shelf_folder / "kinds" / "twin.yaml").write_text(KIND.replace("SOURCE", "article_2020"))
    assert any("already used in kinds/toy.yaml:1" in str(p) for p in check(shelf_folder))
    (shelf_folder / "kinds" / "twin.yaml").unlink()


def test_the_cards_that_ship_are_sound():
    assert [str(p) for p in check()] == []
