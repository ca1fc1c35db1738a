"""Questions in free words: each question people ask is found in wordings that stand on no card; other questions are refused."""

from __future__ import annotations

import pytest

from resorb.consult import ask
from resorb.evidence.library import library

# question card -> wordings that stand on no card
ASKED = {
    "goes_away_by_itself": [
        "Could the calcification vanish on its own?",
        "Will these calcium deposits clear up if I just wait?",
        "Is there a chance the deposit resolves spontaneously?",
    ],
    "which_kinds_go_away": [
        "What sorts of calcifications are able to disappear?",
        "Which of the calcium deposits can resolve and which don't?",
        "Which kinds of calcification will vanish?",
    ],
    "diet_reverse": [
        "Will changing what I eat reverse the calcification?",
        "Are there foods that dissolve calcium deposits?",
        "Can calcification be reversed by diet?",
    ],
    "vitamin_d_k2": [
        "Is vitamin K2 or vitamin D better for calcification?",
        "Should I be taking D3 plus K2 for my calcium deposits?",
        "Which is right for deposits, vitamin D or K2?",
    ],
    "every_calcification_serious": [
        "Do I have to worry about every calcification?",
        "Are all calcifications dangerous?",
        "Can a calcification be harmless?",
    ],
    "how_long_tendonitis": [
        "How many weeks does calcific tendinitis of the shoulder last?",
        "What is the time course of calcific tendinopathy?",
        "When will calcific tendonitis be over?",
    ],
    "supplements_dissolve": [
        "Are there any vitamins or pills which dissolve calcifications?",
        "Do over the counter supplements get rid of calcium deposits?",
        "Is any supplement able to dissolve calcium deposits?",
    ],
    "inflammation": [
        "Is inflammation the reason for calcification?",
        "Can being chronically inflamed lead to calcium deposits?",
        "Do deposits come from inflammation?",
    ],
    "arterial_reversible": [
        "Can calcified arteries ever be turned back?",
        "Is it possible to reverse calcium in the coronary arteries?",
        "Can arterial calcium be removed?",
    ],
    "calcium_supplements": [
        "Do calcium pills lead to calcification?",
        "Does taking calcium tablets cause deposits?",
        "Are calcium supplements the reason for my calcifications?",
    ],
    "does_it_hurt": [
        "Is a calcium deposit going to hurt?",
        "Do calcifications cause aches?",
        "Are calcifications usually painful?",
    ],
    "nothing_calcified": [
        "No calcification was found, does this mean I am well?",
        "If there's no calcium on my scan am I healthy?",
        "Nothing calcified was seen, so everything is fine?",
    ],
    "shock_waves": [
        "Can shockwave therapy break up the calcium?",
        "Will ESWT shatter my deposit?",
        "Does extracorporeal shock wave treatment help calcific tendinitis?",
    ],
    "bisphosphonates": [
        "Is alendronate any use against calcification?",
        "Are bisphosphonates helpful for calcium deposits?",
        "Would an osteoporosis drug reduce the calcification?",
    ],
    "when_is_surgery_right": [
        "When should I have an operation for a calcium deposit?",
        "At what point is surgery needed for calcification?",
        "Is an operation the right thing for my calcific tendonitis?",
    ],
    "corrected_blood_calcium": [
        "If my high blood calcium gets fixed, do the deposits disappear?",
        "What happens to calcifications when hypercalcaemia is corrected?",
        "Do deposits shrink once blood calcium is normalised?",
    ],
    "breast_calcification_cancer": [
        "Do calcifications on a mammogram mean I have breast cancer?",
        "Is breast calcification malignant?",
        "How often are breast microcalcifications cancerous?",
    ],
    "stone_6mm": [
        "Will a 6mm stone pass by itself?",
        "What's the likelihood of a 6 millimetre ureteric stone passing?",
        "I have a 6 mm stone in my ureter, can I pass it?",
    ],
}

ELSEWHERE = [
    "What is the capital of France?",
    "What will the weather be tomorrow?",
    "Does vitamin C cure colds?",
    "What is the best car?",
    "I have a headache, what is the diagnosis?",
    "Who won the world cup?",
    "How do I bake bread?",
    "Does aspirin help a hangover?",
    "Can my flu go away by itself?",
    "Is coffee dangerous?",
    "How long does pregnancy last?",
    "Should I buy a house?",
    "What dose of ibuprofen can I give my dog?",
    "Does exercise help depression?",
    "Is my rash serious?",
    "How do I reverse a car?",
    "Will my boyfriend come back?",
    "",
    "?!",
]


@pytest.mark.parametrize(("card", "text"), [(card, text) for card, texts in ASKED.items() for text in texts])
def test_a_wording_on_no_card_finds_its_question(card: str, text: str) -> None:
    lib = library()
    assert text not in lib.questions[card].asks
    answer = ask(text, lib)
    assert answer is not None
    assert answer.heard_as == lib.questions[card].asks[0]
    assert all(s.source for s in answer.sentences)
    assert {s for sentence in answer.sentences for s in sentence.source if s != "expert"} == {s.id for s in answer.sources}


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_the_cards_do_not_cover_is_not_answered(text: str) -> None:
    assert ask(text, library()) is None


@pytest.mark.parametrize("card", sorted(library().questions))
def test_every_wording_on_a_card_finds_that_card_or_one_with_the_same_wording(card: str) -> None:
    lib = library()
    for text in lib.questions[card].asks:
        answer = ask(text, lib)
        assert answer is not None, text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Does calcium in the kneecap tendon go away?", "calcific_tendinopathy"),
        ("Will my porcelain gallbladder go away?", "porcelain_gallbladder"),
        ("Does a pleural plaque hurt?", "pleural_plaque"),
        ("How is nephrocalcinosis treated?", "nephrocalcinosis"),
        ("Is a prostatic calcification serious?", "prostatic_calcification"),
    ],
)
def test_a_kind_without_a_question_card_answers_from_its_own(text: str, kind: str) -> None:
    answer = ask(text, library())
    assert answer is not None
    assert answer.kinds == (kind,)
    assert 1 <= len(answer.sentences) <= library().listening.most_sentences


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("What's calciphylaxis?", "calciphylaxis", "Small arteries in the fat under the skin"),
        ("Tell me how calciphylaxis is treated", "calciphylaxis", "wound"),
        ("How many people die from calciphylaxis?", "calciphylaxis", "Died"),
        ("Will heterotopic ossification grow back once it has been operated on?", "heterotopic_ossification", "Came back"),
        ("Why do I have pain at night from calcific tendinitis?", "calcific_tendinopathy", "The pain peaks when"),
        ("Is my myositis ossificans malignant or benign?", "myositis_ossificans", "No. It is a single, benign"),
        ("Is a popcorn lung nodule dangerous?", "lung_hamartoma_calcification", "hamartoma"),
        ("My abdominal aorta is calcified, is that dangerous?", "arterial_intimal_calcification", "body artery"),
        ("Do gout and pseudogout differ?", "cppd", "urate"),
        ("Explain calcification of the basal ganglia", "physiologic_brain_calcification", "deep parts of the brain"),
        ("Is my pineal calcified because of fluoride?", "physiologic_brain_calcification", "No study was found here"),
        ("What about a CAC score of 450?", "coronary_calcification", "Above 300"),
        (
            "Am I allowed shockwave treatment for my shoulder while pregnant?",
            "calcific_tendinopathy",
            "pregnancy is among the reasons against",
        ),
    ],
)
def test_a_kind_that_is_named_answers_for_itself(text: str, kind: str, says: str) -> None:
    answer = ask(text, library())
    assert answer is not None
    assert kind in answer.kinds
    assert any(says in s.says for s in answer.sentences)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("I've got a stone in my ureter and I am shivering", "Fever or sepsis with a stone"),
        ("There is pressure on my chest and my calcium score is 500", "may be a heart attack"),
        ("He is on haemodialysis and his thigh skin is turning black", "may be calciphylaxis"),
        ("Since today I cannot control my bladder", "loss of bladder or bowel control"),
        ("My speech is slurred, is it my calcified carotid?", "may be a stroke"),
        ("What amount of vitamin D would kill me, I want to die", "crisis line"),
        ("I am coughing up blood", "an emergency outside what these cards cover"),
    ],
)
def test_an_emergency_asked_as_a_question_is_answered_as_one(text: str, says: str) -> None:
    answer = ask(text, library())
    assert answer is not None
    assert any(says in s.says for s in answer.sentences)
    assert all(s.source for s in answer.sentences)


@pytest.mark.parametrize(
    ("text", "also"),
    [
        ("How many micrograms of vitamin K2 for artery calcium?", "K2"),
        ("What dosage of colchicine for pseudogout?", "olchicine"),
    ],
)
def test_a_dose_is_not_given_but_what_was_shown_is(text: str, also: str) -> None:
    answer = ask(text, library())
    assert answer is not None
    assert answer.sentences[0].says.startswith("Doses are not given here")
    assert any(also in s.says for s in answer.sentences[1:])


@pytest.mark.parametrize(
    "text",
    [
        "Can I dissolve my kidney stone with drain cleaner?",
        "May I cut out the calcium deposit myself with a razor?",
        "Could a hammer break up my calcific tendinitis?",
        "Does my cat have diabetes?",
        "What dose of amoxicillin for a sore throat?",
    ],
)
def test_what_nobody_should_try_is_refused(text: str) -> None:
    assert ask(text, library()) is None
