"""What may be compared: people, dates, acquisitions, and scans that cannot be laid on each other."""

from dataclasses import replace
from statistics import NormalDist
from types import SimpleNamespace

import pytest

from resorb.ct.acquisition import is_sharp
from resorb.ct.refused import ScanRefused
from resorb.ct.scan import Acquisition
from resorb.evidence import library
from resorb.followup import Stated, compare, compared
from resorb.followup.comparable import comparable
from resorb.followup.examining import Examined
from resorb.followup.totals import Sums, change_by, limit_of, rules_say
from resorb.terms.assessment import Refusal
from resorb.terms.errors import UserError
from tests.phantoms.followup.made_pairs import OWN, aligned, scans, sphere
from tests.unit.report import made

SHELF = library()
THEM = [sphere(-9, -8, 4, 15), sphere(9, 9, -5, 8)]


@pytest.fixture(scope="module")
def pair():
    return scans(THEM, THEM)


def with_header(scan, **fields):
    return replace(scan, acquisition=replace(scan.acquisition, **fields))


def answer(pair, first, second, **stated):
    known = Stated(aligned=aligned(*pair), **stated)
    return compare(with_header(pair[0], **first), with_header(pair[1], **second), settings=OWN, stated=known)


def test_two_people_are_refused_unless_it_is_stated_that_they_are_one(pair):
    with pytest.raises(ScanRefused, match="two patients") as refused:
        answer(pair, {"patient_key": "a"}, {"patient_key": "b"})
    assert refused.value.exit_code == 3
    assert "try:" in str(refused.value)
    with pytest.raises(ScanRefused, match="two patients"):  # whose dates are swapped as well: the person comes first
        answer(pair, {"patient_key": "a", "acquired": "20250101"}, {"patient_key": "b", "acquired": "20240102"})
    made = answer(pair, {"patient_key": "a"}, {"patient_key": "b"}, same_person=True)
    assert made.total.verdict == "unchanged"


def test_swapped_dates_are_refused_and_dates_give_months(pair):
    with pytest.raises(ScanRefused, match="a follow-up 365 days before its baseline"):
        answer(pair, {"acquired": "20250101"}, {"acquired": "20240102"})
    made = answer(pair, {"acquired": "20240101"}, {"acquired": "20250101"})
    assert made.months_between == pytest.approx(12.025, abs=0.01)
    assert made.total.annual_mass_mg.change == pytest.approx(made.total.mass_mg.change * 12 / made.months_between)
    same_day = answer(pair, {"acquired": "20240101"}, {"acquired": "20240101"})
    assert isinstance(same_day.total.annual_mass_mg, Refusal)
    assert answer(pair, {"acquired": "20250101"}, {"acquired": "20240102"}, months=3).months_between == 3


def test_a_stated_tube_voltage_is_known_and_a_header_goes_before_it(pair):
    bare, told = [with_header(scan, kvp=None) for scan in pair], replace(OWN, kvp=120.0)
    known = Stated(aligned=aligned(*pair))
    unsaid = compare(*bare, settings=OWN, stated=known)
    assert "tube voltage" in {d.what for d in unsaid.comparable}
    said = compare(*bare, settings=told, stated=known)
    assert "tube voltage" not in {d.what for d in said.comparable}
    assert (said.baseline.kvp, said.followup.kvp) == (120.0, 120.0)
    other = compare(bare[0], with_header(pair[1], kvp=100.0), settings=told, stated=known)
    assert [(d.baseline, d.followup) for d in other.comparable if d.what == "tube voltage"] == [("120 kV", "100 kV")]
    assert other.total.verdict == "cannot tell"


@pytest.mark.parametrize("months", [-1, float("nan"), 1e9])
def test_months_that_cannot_be_are_refused(pair, months):
    with pytest.raises(UserError, match="months: found"):
        answer(pair, {}, {}, months=months)


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({"kvp": 120.0}, {"kvp": 100.0}, "tube voltage"),
        ({"kernel": "B40f"}, {"kernel": "B70f"}, "kernel"),
        ({}, {"contrast_agent": "IOHEXOL"}, "contrast"),
    ],
)
def test_what_makes_calcium_incomparable_ends_in_cannot_tell(pair, first, second, what):
    made = answer(pair, first, second)
    assert {d.verdict for d in made.deposits} | {made.total.verdict} == {"cannot tell"}
    assert what in made.total.why
    row = next(d for d in made.comparable if d.what == what)
    assert row.effect == "cannot tell"
    assert all(isinstance(d.mass_mg, Refusal) for d in made.deposits)


def test_other_makers_and_kernels_widen_the_limits(pair):
    plain = answer(pair, {}, {})
    other = answer(pair, {"manufacturer": "GE MEDICAL SYSTEMS"}, {"manufacturer": "Siemens Healthineers"})
    kernel = answer(pair, {"kernel": "B30f"}, {"kernel": "B40f"})
    assert is_sharp("B70f")
    assert not is_sharp("B40f")
    for wide in (other, kernel):
        assert wide.total.mass_mg.detectable > plain.total.mass_mg.detectable
    assert all(isinstance(d.agatston, Refusal) for d in kernel.deposits)
    assert "interscanner_2011" in {s.id for s in other.sources}
    assert not answer(pair, {"manufacturer": "SIEMENS"}, {"manufacturer": "Siemens Healthineers"}).comparable


def test_another_scanner_of_the_same_make_widens_the_limits_by_what_identical_ones_differ(pair):
    one = answer(pair, {}, {})
    other, unsaid = answer(pair, {}, {"device": "second"}), answer(pair, {}, {"device": None})
    cards = {card.what: card for card in SHELF.decks.unlike}
    limits = [{d.what: d for d in made.comparable} for made in (one, other, unsaid)]
    assert [("scanner" in said) for said in limits] == [False, True, True]
    assert (limits[1]["scanner"].effect, limits[2]["scanner"].followup) == ("widens", "not known")
    before = one.total.mass_mg.before
    wider = [made.total.mass_mg.detectable / before for made in (one, other)]
    z = -NormalDist().inv_cdf(0.05 / 3 / 2)  # three tests: two deposits and their total
    added = cards["scanner"].relative_sd * 2**0.5
    assert wider[1] ** 2 - wider[0] ** 2 == pytest.approx((z * added) ** 2, rel=0.05)


def test_one_scanner_kernel_and_grid_blur_alike(pair):
    again = replace(pair[0], hu=pair[0].hu[:, ::-1])
    assert comparable(pair[0], again, None, SHELF).blur == "same"
    assert comparable(*pair, None, SHELF).blur == "alike"  # another grid
    for header, blur in (({"device": None}, "alike"), ({"kernel": None}, "alike"), ({"kernel": "B30f"}, "other")):
        assert comparable(pair[0], with_header(again, **header), None, SHELF).blur == blur


def test_without_a_factor_the_verdict_rests_on_hu(pair):
    made = compare(*(with_header(s, kvp=100.0) for s in pair), stated=Stated(aligned=aligned(*pair)))
    assert {d.verdict for d in made.deposits} == {"unchanged"}
    assert all("no published factor for 100 kV" in d.mass_mg.reason for d in made.deposits)
    assert "HU mm3" in made.deposits[0].why


def test_scans_that_cannot_be_laid_on_each_other_match_nothing(pair):
    lost = aligned(*pair)
    lost = replace(lost, facts=replace(lost.facts, failed="no part of the body was found in both scans"))
    made = compared(pair, settings=OWN, stated=Stated(aligned=lost)).change
    assert len(made.deposits) == 4
    assert all((d.baseline is None) != (d.followup is None) for d in made.deposits)
    assert {d.verdict for d in made.deposits} | {made.total.verdict} == {"cannot tell"}
    assert "no part of the body was found" in made.deposits[0].why


def test_nothing_found_in_either_scan_is_no_change():
    empty = scans([], [])
    made = compared(empty, settings=OWN, stated=Stated(aligned=aligned(*empty))).change
    assert (made.deposits, made.total.verdict) == ((), "unchanged")
    assert isinstance(made.total.mass_mg, Refusal)


def test_unknown_is_said_and_not_normal(pair):
    unknown = [replace(s, acquisition=Acquisition()) for s in pair]
    said = comparable(*unknown, None, SHELF)
    assert {(d.what, d.baseline, d.effect) for d in said.differs} == {
        ("tube voltage", "not known", "said"),
        ("kernel", "not known", "said"),
        ("scanner", "not known", "widens"),
    }
    assert not said.no_change


@pytest.mark.parametrize(
    ("rule", "before", "after", "limit", "change"),
    [
        ("sevrukov_agatston", 100.0, 160.0, 49.30, 60.0),
        ("sevrukov_agatston", 0.0, 12.0, 11.6, 12.0),
        ("sevrukov_volume", 100.0, 90.0, 34.45, -10.0),
        ("mesa_agatston", 100.0, 180.0, 0.17 * 100 + 4.89 * 10 + 0.44 * 25 - 10.84, 80.0),
        ("square_root_agatston", 100.0, 156.25, 2.5, 2.5),
    ],
)
def test_the_rules_are_the_published_ones(rule, before, after, limit, change):
    card = next(r for r in SHELF.decks.rules if r.id == rule)
    assert limit_of(card, before, 25.0) == pytest.approx(limit)
    assert change_by(card, before, after) == pytest.approx(change)


def test_a_body_mass_index_brings_the_rules_that_need_it(pair):
    names = {r.name for r in answer(pair, {}, {}, bmi=24.0).total.rules}
    assert {"MESA 2008, Agatston", "MESA 2008, volume"} <= names


def _seen(site, before, after):
    """One place as the totals see it."""
    return Examined(SimpleNamespace(site=site), SimpleNamespace(), (made.deposit(1, before), made.deposit(1, after)))


def test_a_rule_speaks_of_the_sites_it_was_made_for():
    sums = Sums((_seen("coronary_arteries", 100.0, 160.0), _seen("mitral ring", 50.0, 51.0), _seen("liver", 900.0, 10.0)), 0)
    said = {rule.name: rule for rule in rules_say(sums, SHELF, None)}
    assert said["Sevrukov 2005, Agatston"].limit == pytest.approx(49.3)
    assert said["Sevrukov 2005, Agatston"].exceeded
    assert "1 of 3 deposits" in said["Callister 1998, Agatston"].applies
    ring = said["MESA 2006, mitral ring, Agatston"]
    assert (ring.tells, ring.limit, ring.change) == ("usual", pytest.approx(14.0), pytest.approx(1.0))
    assert not any("aortic" in name for name in said)


def test_where_no_site_is_known_only_limits_speak_and_say_so():
    said = rules_say(Sums((_seen(None, 100.0, 160.0),), 0), SHELF, None)
    assert {rule.tells for rule in said} == {"limit"}
    assert all("not known here" in rule.applies for rule in said)
    assert rules_say(Sums((_seen("liver", 100.0, 160.0),), 0), SHELF, None) == ()
