"""Ranking: reasons add, musts exclude, ties are ties, nothing is an answer."""

from resorb.consult import assess

from .toy import case, kind, shelf

FOR = {"weight": "strong", "source": "s1"}


def two(**second):
    return shelf({"id": "one"}, {"id": "two", "recognise": {"must": [{"site": "tendon"}], "for": [{"site": "tendon", **FOR}], **second}})


def test_equal_points_are_a_tie():
    made = two()
    said = assess(case(made, site="tendon"), made)
    assert [(k.id, k.rank, k.tied) for k in said.kinds] == [("one", 1, True), ("two", 1, True)]
    assert "equally well" in said.plain.text
    assert any(r.about == "kind" for r in said.cannot_say)


def test_one_more_reason_breaks_the_tie_and_is_told():
    made = two(**{"for": [{"site": "tendon", **FOR}, {"finding": "dense", "weight": "weak", "source": "s2"}]})
    said = assess(case(made, site="tendon", findings=["dense"]), made)
    assert [k.id for k in said.kinds] == ["two", "one"]
    assert [(w.weight, w.source) for w in said.kinds[0].why] == [("strong", ("s1",)), ("weak", ("s2",))]
    assert {s.id for s in said.sources} == {"s1", "s2"}


def test_a_reason_against_counts_down():
    made = two(against=[{"finding": "dense", "weight": "moderate", "source": "s1"}])
    said = assess(case(made, site="tendon", findings=["dense"]), made)
    assert [(k.id, k.fit) for k in said.kinds] == [("one", "moderate"), ("two", "weak")]
    assert said.kinds[1].against[0].says == "finding: dense"


def test_nothing_is_named_when_nothing_reaches_a_fit():
    made = shelf({"recognise": {"for": [{"finding": "dense", "weight": "moderate", "source": "s1"}]}})
    said = assess(case(made, site="tendon", findings=["dense"]), made)
    assert said.none_fits
    assert [(k.id, k.fit) for k in said.considered] == [("toy", "weak")]


def test_a_site_given_only_widely_counts_a_little_and_says_so():
    made = shelf({"recognise": {"for": [{"site": "shoulder.supraspinatus", **FOR}, {"finding": "dense", **FOR}]}})
    said = assess(case(made, site="shoulder", findings=["dense"]), made)
    assert [w.weight for w in said.kinds[0].why] == ["weak", "strong"]
    assert "the site given (shoulder) is wider" in said.kinds[0].why[0].says


def test_a_reason_of_a_site_and_more_counts_less_where_the_site_given_is_wider():
    both = {"all": [{"site": "uterus"}, {"finding": "rim"}], **FOR}
    made = shelf({"recognise": {"must": [{"site": ["uterus", "pelvis"]}], "for": [{"site": "uterus", **FOR}, both]}})
    said = assess(case(made, site="pelvis", findings=["rim"]), made)
    assert [w.weight for w in (said.kinds or said.considered)[0].why] == ["weak", "moderate"]
    assert assess(case(made, site="uterus", findings=["rim"]), made).kinds[0].fit == "moderate"


def test_a_part_is_not_the_region_it_lies_in():
    made = shelf({"recognise": {"for": [{"site": "pelvis", **FOR}], "must": [{"site": "pelvis"}]}})
    said = assess(case(made, site="uterus"), made)
    assert said.none_fits


def test_beside_a_place_a_tissue_is_not_a_wider_site():
    made = shelf({"recognise": {"must": [{"site": ["skin", "scrotum"]}], "for": [{"site": "scrotum", **FOR}, {"finding": "dense", **FOR}]}})
    assert len(assess(case(made, site="skin", findings=["dense"]), made).kinds[0].why) == 2
    assert len(assess(case(made, site=["foot", "skin"], findings=["dense"]), made).kinds[0].why) == 1


def test_metal_is_no_deposit_of_any_kind():
    made = shelf({"id": "one"})
    assert assess(case(made, site="tendon"), made).kinds
    assert assess(case(made, site="tendon", findings=["metal"]), made).none_fits


def test_a_false_must_rules_out_and_says_so():
    made = shelf({"recognise": {"must": [{"site": "tendon"}], "for": [{"finding": "dense", **FOR}]}})
    said = assess(case(made, site="kidney", findings=["dense"]), made)
    assert said.none_fits
    assert said.ruled_out[0].reason == "needs site: tendon"
    assert "None of the kinds" in said.plain.text


def test_an_unknown_must_costs_points_but_does_not_exclude():
    made = shelf({"recognise": {"must": [{"site": "tendon"}], "for": [{"finding": "dense", "weight": "decisive", "source": "expert"}]}})
    said = assess(case(made, findings=["dense"]), made)
    assert said.kinds[0].not_known == ("site: tendon",)
    assert said.ask_next[0].id == "site"


def test_what_is_not_mentioned_never_counts():
    made = two(against=[{"not": {"finding": "dense"}, "weight": "strong", "source": "expert"}])
    assert assess(case(made, site="tendon"), made).kinds[0].tied
    denied = assess(case(made, site="tendon", findings={"dense": "absent"}), made)
    assert denied.kinds[0].id == "one"


def test_no_calcification_seen_is_a_case():
    made = shelf(kind(absence=[{"sites": ["tendon"], "means": "None there.", "does_not_mean": "Not well.", "source": "s3"}]))
    said = assess(case(made, site="tendon", findings=["no_calcification_seen"]), made)
    assert said.none_fits
    assert said.absence[0].does_not_mean == "Not well."
