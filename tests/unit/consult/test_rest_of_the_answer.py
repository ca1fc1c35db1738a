"""Red flags, options, what to ask next, what was done."""

from resorb.consult import assess

from .toy import case, row, shelf

FLAG = {"id": "f1", "name": "blocked and infected", "when": [{"site": "ureter"}, {"symptom": "fever"}], "urgency": "emergency",
        "says": "It is infected.", "do": "Drain it.", "source": "s1"}  # fmt: skip


def test_red_flags_do_not_depend_on_the_ranking():
    made = shelf({"red_flags": [FLAG]})
    said = assess(case(made, site="ureter", symptoms=["fever"]), made)
    assert said.none_fits
    assert [f.id for f in said.red_flags] == ["f1"]
    assert said.plain.text.startswith("Do not wait: It is infected. Drain it.")


def test_an_unknown_never_raises_a_flag_but_is_asked():
    made = shelf(
        {
            "red_flags": [FLAG],
            "sites": ["ureter"],
            "recognise": {"must": [{"site": "ureter"}], "for": [{"site": "ureter", "weight": "strong", "source": "s1"}]},
        }
    )
    said = assess(case(made, site="ureter"), made)
    assert said.red_flags == ()
    assert said.ask_next[0].id == "fever"
    assert said.ask_next[0].changes == "red flags"


def test_options_climb_the_ladder_and_drop_what_cannot_apply():
    uses = [
        {"option": "surgery", "says": "Cut.", "source": "s1"},
        {"option": "watch", "says": "Wait.", "source": "s2"},
        {"option": "shock_wave", "says": "Shock.", "source": "s1", "when": [{"finding": "dense"}]},
        {"option": "needle_lavage", "says": "Wash.", "source": "s1", "when": [{"finding": "rim"}]},
    ]
    made = shelf({"options": uses, "outlook": [row(5, 10, course="surgery")]})
    said = assess(case(made, site="tendon", findings={"dense": "absent"}, done=["watch"]), made)
    assert [o.id for o in said.options] == ["watch", "needle_lavage", "surgery"]
    assert [o.applies for o in said.options] == [True, None, True]
    assert said.options[0].already_done
    assert said.options[2].evidence[0].estimate == 50


def test_what_was_done_stands_beside_what_was_expected():
    made = shelf({"outlook": [row(5, 10, course="needle_lavage")]})
    said = assess(case(made, site="tendon", done=[{"option": "barbotage", "outcome": "resolved", "after": "3 months"}]), made)
    assert said.observed[0].outcome == "resolved"
    assert said.observed[0].expected[0].estimate == 50


def test_ask_next_names_the_fact_that_could_change_the_ranking():
    made = shelf(
        {"id": "one"},
        {"id": "two", "recognise": {"must": [{"site": "tendon"}],
         "for": [{"site": "tendon", "weight": "moderate", "source": "s1"}, {"finding": "rim", "weight": "decisive", "source": "s1"}]}},
    )  # fmt: skip
    said = assess(case(made, site="tendon"), made)
    assert said.ask_next[0].id == "rim"
    assert "could change which kind comes first" in said.ask_next[0].because


def test_what_is_said_to_be_unknown_is_not_asked_again():
    made = shelf({"id": "one"}, {"id": "two", "recognise": {"for": [{"site": "tendon", "weight": "moderate", "source": "s1"},
                  {"finding": "rim", "weight": "decisive", "source": "s1"}]}})  # fmt: skip
    said = assess(case(made, site="tendon", findings={"rim": "unknown"}), made)
    assert "rim" not in [a.id for a in said.ask_next]


def test_nothing_counted_is_said():
    made = shelf({})
    said = assess(case(made, site="tendon"), made)
    assert any(r.about == "going away" for r in said.cannot_say)
