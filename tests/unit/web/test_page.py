"""The page's views: they show what the verbs say, in both languages, and lose nothing on the way into the form and back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import resorb
from resorb import examples
from resorb.consult import assess
from resorb.evidence import Library
from resorb.terms.assessment import Refusal
from resorb.terms.measurement import Measure, SiteMeasure

pytest.importorskip("babel", reason="the page needs the server libraries (pip install 'resorb[server]')")
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from resorb.web.page import answer, language, lookup, results, words

PAGE = Path(answer.__file__).parent
METHODS = [("templates/**.html", "jinja2"), ("static/*.js", "javascript"), ("*.py", "python")]


@pytest.mark.parametrize("name", examples.names())
def test_a_case_goes_through_the_form_unchanged(name: str) -> None:
    case = resorb.read_case(examples.path(name))
    assert resorb.read_case(words.as_mapping(case)).digest == case.digest


def test_a_record_becomes_facts_that_the_form_takes() -> None:
    from resorb.web.page_routes import _answer, _mapping

    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-05-01"}
    code = {"coding": [{"system": "http://loinc.org", "code": "2777-1"}]}
    seen = {"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": "Patient/p"}}
    values = [("2024-01-02T08:00:00Z", 1.1), ("2025-01-02T08:00:00Z", 2.4)]
    labs = [{**seen, "effectiveDateTime": when, "valueQuantity": {"value": value, "unit": "mmol/L"}} for when, value in values]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in (patient, *labs)]}
    facts = json.loads(bytes(_mapping(json.dumps(bundle)).body))
    assert facts["sex"] == {"female": "present"}
    assert "2.4 mmol/L" in json.dumps(facts["labs"]["phosphate"])
    assert _answer(json.dumps({**facts, "site": {"skin": "present"}}), "en").status_code == 200


@pytest.mark.parametrize("code", sorted(language.LANGUAGES))
@pytest.mark.parametrize("name", examples.names()[::5])
def test_the_answer_shows_all_that_the_verb_says(name: str, code: str) -> None:
    case = resorb.read_case(examples.path(name))
    said = resorb.assess(case)
    view = answer.answer_view(said, case, code)
    text = _text(view["html"])
    shown = [said.plain.text, *(f.do for f in said.red_flags), *(r.reason for r in said.cannot_say)]
    shown += [o.says for o in said.options if said.kinds and o.kind == said.kinds[0].id]
    assert [part for part in shown if " ".join(part.split()) not in text] == []
    assert len(re.findall('<div popover id="s-', view["html"])) == len(said.sources)
    order = [view["html"].find(mark) for mark in ('class="flag', 'id="a-plain"', 'id="a-kinds"', 'id="a-outlook"', 'id="a-options"')]
    found = [place for place in order if place >= 0]
    assert found == sorted(found)


def test_suggestions_are_words_of_the_form_not_yet_said(shelf: Library) -> None:
    case = resorb.read_case({"site": "kidney", "findings": ["stone"]})
    found = words.suggested(assess(case, shelf), case)
    known = {field: {w["id"] for w in listed} for field, listed in words.words_for("en")["fields"].items()}
    assert found["symptoms"] and all(set(ids) <= known[field] for field, ids in found.items())
    assert "stone" not in found["findings"]


def test_every_text_of_the_page_is_in_the_german_catalogue() -> None:
    options = {"**": {"encoding": "utf-8"}}
    texts = {m[2] for m in extract_from_dir(PAGE, METHODS, options)}
    with (language.LOCALE / "de" / "interface.po").open("rb") as file:
        catalogue = {m.id: m.string for m in read_po(file) if m.id}
    assert sorted(t for t in texts if isinstance(t, str) and not catalogue.get(t)) == []
    assert sorted(set(catalogue) - texts) == []
    filled = {t: s for t, s in catalogue.items() if re.findall(r"\{\d\}", str(t)) != sorted(re.findall(r"\{\d\}", str(s)))}
    assert filled == {}


def test_every_german_name_belongs_to_a_card(shelf: Library) -> None:
    decks = (shelf.decks.kinds, shelf.decks.causes, shelf.decks.words, shelf.decks.quantities, shelf.decks.options)
    known = {card.name for deck in decks for card in deck} | {r.counted.unit for k in shelf.decks.kinds for r in k.outlook if r.counted}
    assert sorted(set(language.language("de").names) - known) == []


def test_the_shell_holds_no_script_and_no_style_of_its_own() -> None:
    for template in (PAGE / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|javascript:", text), template.name
        assert all("src=" in tag or "application/json" in tag for tag in re.findall("<script[^>]*>", text)), template.name


def test_a_language_is_the_one_asked_for_else_the_browsers_else_english() -> None:
    assert language.preferred("de", "en") == "de"
    assert language.preferred(None, "fr-FR,de-AT;q=0.8") == "de"
    assert language.preferred("xx", "") == "en"


@pytest.mark.parametrize("code", sorted(language.LANGUAGES))
def test_every_kind_has_a_page_with_its_sources(shelf: Library, code: str) -> None:
    for kind in shelf.decks.kinds[::10]:
        html = lookup.kind_html(kind.id, code)
        assert html is not None
        assert set(re.findall('popovertarget="(s-[^"]+)"', html)) <= set(re.findall('popover id="([^"]+)"', html))
    assert lookup.kind_html("no_such_kind", code) is None


def test_a_score_goes_to_the_measure_that_the_cards_know_for_its_site() -> None:
    none = Refusal("volume_mm3", "not asked")
    total = SiteMeasure("coronary_artery", 3, Measure(250.4, 240.0, 260.0), none, none, none, none)
    told = {"site": {"coronary_artery": "present"}, "measures": {"agatston": "250"}, "modality": {"ct": "present"}}
    assert results.site_facts(total) == told
    kidney = SiteMeasure("kidney_left", 3, Measure(250.4, 240.0, 260.0), none, none, none, none)
    assert results.site_facts(kidney) == {}


def _text(html: str) -> str:
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())
