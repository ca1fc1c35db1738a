"""Laws that hold for any case: no traceback, no order, no unit, no irrelevant word changes the answer."""

from __future__ import annotations

import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resorb.consult import assess
from resorb.evidence import library, read_case_mapping, read_case_text
from resorb.evidence.form import FIELDS
from resorb.report import to_html, to_json, to_text
from resorb.terms.errors import CaseRefused

SHELF = library()
WORDS = {
    g: sorted(w.id for w in SHELF.decks.words if w.group == g) for g in ("site", "finding", "symptom", "condition", "exposure", "medicine")
}
LABS = [q for q in SHELF.decks.quantities if q.group == "lab"]
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["kidney", "pain", "2.4 mmol/L", "high"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12) | st.sampled_from(sorted(SHELF.words)), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def cases(draw):
    """A case of known words."""
    made = {
        "site": draw(st.lists(st.sampled_from(WORDS["site"]), max_size=2, unique=True)),
        "findings": draw(st.lists(st.sampled_from(WORDS["finding"]), max_size=4, unique=True)),
        "symptoms": draw(st.lists(st.sampled_from(WORDS["symptom"]), max_size=2, unique=True)),
        "conditions": draw(st.lists(st.sampled_from(WORDS["condition"]), max_size=2, unique=True)),
        "exposures": draw(st.lists(st.sampled_from(WORDS["exposure"]), max_size=2, unique=True)),
        "labs": draw(st.dictionaries(st.sampled_from([q.id for q in LABS]), st.sampled_from(["low", "normal", "high"]), max_size=3)),
    }
    if draw(st.booleans()):
        made["age"] = draw(st.integers(0, 100))
    return {k: v for k, v in made.items() if v not in ([], {})} or {"site": ["kidney"]}


def answer(mapping):
    try:
        return assess(read_case_mapping(mapping, SHELF), SHELF)
    except CaseRefused:
        return None  # words that contradict each other


@slow
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), anything, max_size=5))
def test_any_mapping_is_read_or_refused(mapping):
    try:
        assess(read_case_mapping(mapping, SHELF), SHELF)
    except CaseRefused as refused:
        assert refused.problems
        assert all(p.message for p in refused.problems)


@settings(deadline=None, max_examples=1000)
@given(st.text(alphabet=string.printable + "äµ\u0000\u2028é", max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        read_case_text(text, SHELF)
    except CaseRefused as refused:
        assert refused.problems


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.text(alphabet="ab: -[]{}#&*!|>'\"%@`\n,0.9", max_size=30)), max_size=6))
def test_mangled_yaml_is_read_or_refused(fields):
    try:
        read_case_text("\n".join(f"{k}: {v}" for k, v in fields), SHELF)
    except CaseRefused as refused:
        assert refused.problems


@slow
@given(cases(), st.randoms())
def test_the_order_of_facts_does_not_matter(mapping, random):
    shuffled = {
        k: (random.sample(v, len(v)) if isinstance(v, list) else v) for k, v in sorted(mapping.items(), key=lambda _: random.random())
    }
    assert answer(mapping) == answer(shuffled)


@slow
@given(st.sampled_from([q for q in LABS if q.units]), st.data())
def test_the_unit_does_not_matter(card, data):
    unit = data.draw(st.sampled_from(sorted(card.units)))
    value = data.draw(st.floats(max(card.impossible_under, 1e-3), card.impossible_over * 0.99))
    one = answer({"age": 50, "sex": "female", "site": "kidney", "labs": {card.id: f"{value:.6f} {card.unit}"}})
    two = answer({"age": 50, "sex": "female", "site": "kidney", "labs": {card.id: f"{value / card.units[unit]:.9f} {unit}"}})
    if one is not None and two is not None:
        near = any(limit is not None and abs(value - limit) < 1e-3 * max(1.0, limit) for b in card.bands for limit in (b.low, b.high))
        assert near or [k.id for k in one.kinds] == [k.id for k in two.kinds]


@slow
@given(cases())
def test_a_fact_no_kind_knows_changes_no_ranking(mapping):
    with_note = answer({**mapping, "about": "anything"})
    without = answer(mapping)
    assert with_note == without


@slow
@given(cases())
def test_every_answer_can_be_written_and_every_number_leads_to_a_source(mapping):
    said = answer(mapping)
    if said is None:
        return
    assert to_text(said, why=True)
    assert to_html(said)
    assert to_json(said)
    known = {s.id for s in said.sources}
    for estimate in said.outlooks:
        assert {s.source for s in estimate.studies} <= known
        assert estimate.low is None or 0 <= estimate.low <= estimate.estimate <= estimate.high <= 100
    for kind in said.kinds:
        assert all(w.source for w in (*kind.why, *kind.against))
        assert all(s in known or s == "expert" for w in kind.why for s in w.source)


@slow
@given(cases())
def test_the_same_case_gives_the_same_bytes(mapping):
    one, two = answer(mapping), answer(mapping)
    if one is not None:
        assert to_json(one) == to_json(two)
