"""A chart -> cards. The verbs answer; the same chart on the same day has the same cards, so they are kept for a while."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import resorb

from ...consult.facts import Facts
from ...consult.red_flags import red_flags
from ...evidence import library
from ...evidence.library import simplify
from ...evidence.showing import shown
from ...terms.assessment import Assessment, OptionShown, Versions
from ...terms.case import Case
from ...terms.errors import CaseRefused
from .cards import AGAINST, WITH, Desk, Flagged
from .requests import Call, malformed

Json = dict[str, Any]
MOST_KEPT = 512
MOST_CARDS = 6

WORTH_SAYING = ("first", "helps", "may help", "may_help")
FURTHEST_EAST = timedelta(hours=14)
_KEPT: OrderedDict[tuple[str, str, str], Assessment] = OrderedDict()
_DONE_BY_ORDER = {"MedicationRequest": {"status": "active", "intent": "order"}, "MedicationStatement": {"status": "active"}}


def cards(call: Call, chart: Json, base: str) -> list[Json]:
    """The cards of a call; none where there is nothing to say."""
    case = _case(chart, call)
    if call.service.hook == "order-select":
        return _about_orders(call, chart, case, base)
    if not _describes_a_deposit(case):
        return Desk(flagged(case), call.service.id, base).flags()
    return Desk(assessed(case), call.service.id, base).view()


def _describes_a_deposit(case: Case) -> bool:
    """Whether the chart says where a deposit is or what was seen of it: a disease alone is no deposit."""
    return any(fact.present and fact.group in ("site", "finding", "diagnosis") for fact in case.facts)


def today() -> str:
    """The day it is, wherever on Earth the day is furthest on: what was entered today is not taken for the future."""
    return (datetime.now(UTC) + FURTHEST_EAST).date().isoformat()


def _case(chart: Json, call: Call) -> Case:
    try:
        return resorb.read_case(chart, date=today(), patient=call.patient)
    except CaseRefused as error:
        raise malformed(
            [("prefetch", p.message.removeprefix("found "), "the record of the patient of the context") for p in error.problems]
        ) from None


def assessed(case: Case) -> Assessment:
    """The answer to a case, from memory where it was asked before."""
    key = (case.digest, library().version, resorb.__version__)
    said = _KEPT.pop(key, None)
    if said is None:
        said = resorb.assess(case)
    _KEPT[key] = said
    while len(_KEPT) > MOST_KEPT:
        _KEPT.popitem(last=False)
    return said


def flagged(case: Case) -> Flagged:
    """What must not wait in a chart that tells of no deposit: the rest of the answer is not asked for."""
    shelf = library()
    flags = red_flags(Facts(case, shelf))
    cited = shown((s for flag in flags for s in flag.source), shelf)
    return Flagged(flags, cited, Versions(resorb.__version__, shelf.version, case.digest), shelf.reasoning.notice)


# --- orders ---


def _about_orders(call: Call, chart: Json, before: Case, base: str) -> list[Json]:
    """What holds anew if the selected orders were carried out, and what is known of them as options."""
    orders = _selected(call)
    if not orders:
        return []
    carried_out = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [*chart["entry"], *({"resource": _carried_out(o)} for o in orders)],
    }
    after = _case(carried_out, call)
    was, would = assessed(before), assessed(after)
    if not _describes_a_deposit(before):
        return []
    now = Desk(was, call.service.id, base)
    then = Desk(would, call.service.id, base)
    known = {flag.id for flag in was.red_flags}
    flags = [then.flag(flag, WITH) for flag in would.red_flags if flag.id not in known]
    against = [now.option(option, AGAINST) for option in _opposed(before, after, was)]
    options = [now.option(option) for option in _options(orders, before, after, was)]
    return [*flags, *against, *options, *_anew(was, would, then)][:MOST_CARDS]


def _opposed(before: Case, after: Case, was: Assessment) -> list[OptionShown]:
    """The options for the kind in the chart that would take away what is ordered."""
    ordered = {fact.word for fact in set(after.facts) - set(before.facts) if fact.present}
    stopping = {option.id for option in library().decks.options if ordered & set(option.stops)}
    first = was.kinds[0].id if was.kinds else ""
    return [o for o in was.options if o.id in stopping and o.kind == first and o.applies and o.verdict in WORTH_SAYING]


def _anew(was: Assessment, would: Assessment, desk: Desk) -> list[Json]:
    """What the answer for the same kind says of the deposit only if the orders were carried out."""
    if not was.kinds or not would.kinds or was.kinds[0].id != would.kinds[0].id:
        return []
    open_before = {(o.id, o.kind) for o in was.options if o.applies}
    heard = {s.says for s in (*was.changes, *was.hurts)}
    options = [
        desk.option(o, WITH) for o in would.options if o.applies and o.kind == would.kinds[0].id and (o.id, o.kind) not in open_before
    ]
    return [*options, *(desk.sentence(s, WITH) for s in (*would.changes, *would.hurts) if s.says not in heard)]


def _selected(call: Call) -> list[Json]:
    """The drafts that were selected; a selection names a draft by type and id."""
    wanted = set(call.context["selections"])
    entries = call.context["draftOrders"].get("entry") or []
    drafts = [e["resource"] for e in entries if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    return [d for d in drafts if f"{d.get('resourceType')}/{d.get('id')}" in wanted]


def _carried_out(order: Json) -> Json:
    """An order as the chart would hold it once it was carried out."""
    made = {**order, **_DONE_BY_ORDER.get(str(order.get("resourceType")), {})}
    if order.get("resourceType") == "ServiceRequest":
        kept: Json = {key: order[key] for key in ("id", "code", "subject") if key in order}
        made = {**kept, "resourceType": "Procedure", "status": "completed"}
    made.pop("doNotPerform", None)
    return made


def _options(orders: list[Json], before: Case, after: Case, was: Assessment) -> list[OptionShown]:
    """The options of the answer that the orders mean: by code, by the name of the medicine, by the words of the order."""
    shelf = library()
    spelled = shelf.spellings["option"]
    meant = {done.option for done in set(after.done) - set(before.done)}
    for fact in set(after.facts) - set(before.facts):
        word = shelf.words[fact.word]
        meant |= {spelled[name] for name in (simplify(word.id), simplify(word.name)) if name in spelled}
    for order in orders:
        for key in ("medicationCodeableConcept", "code"):
            concept = order.get(key)
            texts = [concept.get("text"), *(c.get("display") for c in concept.get("coding") or [])] if isinstance(concept, dict) else []
            meant |= {option for t in texts if isinstance(t, str) for option in _named(simplify(t), spelled)}
    meant |= {option.id for option in shelf.decks.options if meant & set(option.is_)}
    return [option for option in was.options if option.id in meant]


def _named(text: str, spelled: Mapping[str, str]) -> set[str]:
    """The options that an order names: by all of its words, or by several of them that are the whole name of one; the longest count."""
    if text in spelled:
        return {spelled[text]}
    words = f"_{re.sub(r'[^a-z0-9]+', '_', text)}_"
    within = [name for name in spelled if "_" in name and f"_{name}_" in words]
    return {spelled[name] for name in within if not any(name != other and f"_{name}_" in f"_{other}_" for other in within)}
