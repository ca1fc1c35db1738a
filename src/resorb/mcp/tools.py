"""The tools: each calls one verb and hands back what it said, as text for reading and as JSON with a schema. None writes anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any, Literal, NamedTuple

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from .. import verbs
from ..evidence import library
from ..evidence.cards import Quantity, Word
from ..evidence.looking_up import nearest, whole
from ..report import answer_to_text, table_to_text, to_dict, to_json, to_text
from ..terms.change import Change
from ..terms.errors import ResorbError, UserError
from . import outputs
from .places import Places

NO_IMAGING = "scans need the imaging libraries, which are missing here; a person may try: pip install 'resorb[image,register]'"
PATH = "Path of a folder of DICOM files, a zip, an enhanced DICOM file or NIfTI, on the server's machine, in a folder that was allowed."
LABELS = "Path of labels that say where to look: NIfTI or DICOM SEG; without them, everywhere outside the skeleton."

Scan = Annotated[str, Field(description=PATH)]
Labels = Annotated[str | None, Field(description=LABELS)]
Series = Annotated[str | None, Field(description="Series UID or description, where the rule would pick another.")]
Group = Literal[
    "site", "finding", "symptom", "condition", "diagnosis", "medicine", "exposure", "modality", "stage", "outcome", "option", "lab",
    "measure",
]  # fmt: skip
Box = tuple[float, float, float, float, float, float]


class Stated(BaseModel, extra="forbid"):
    """What somebody knows of the scan and its header does not say."""

    contrast: Annotated[Literal["none", "given"] | None, Field(description="Contrast agent.")] = None
    kvp: Annotated[float | None, Field(description="Tube voltage. [kV]")] = None
    calibration: Annotated[float | None, Field(description="The scanner's own factor. [mg/cm3 per HU]")] = None
    convention: Annotated[str, Field(description="agatston_1990, ge, terarecon, siemens, philips or canon")] = "agatston_1990"
    box: Annotated[Box | None, Field(description="Where to look: two corners x, y, z, x, y, z. [LPS mm]")] = None


class StatedOfPair(Stated):
    """What somebody knows of the two scans and their headers do not say."""

    months: Annotated[float | None, Field(description="Months between the two.")] = None
    same_person: Annotated[bool, Field(description="True only where a person says so although the headers name two.")] = False
    bmi: Annotated[float | None, Field(description="Body mass index, for published rules that need it. [kg/m2]")] = None


OfScan = Annotated[Stated, Field(description="Only what somebody knows; leave the rest out.")]
OfPair = Annotated[StatedOfPair, Field(description="Only what somebody knows; leave the rest out.")]
NOTHING, NOTHING_OF_PAIR = Stated(), StatedOfPair()


class Offer(NamedTuple):
    """One tool before it is registered."""

    call: Callable[..., CallToolResult]
    title: str
    answers: dict[str, Any]


def offers(places: Places) -> tuple[Offer, ...]:
    """Every tool, with the schema of its answer."""
    return (
        Offer(_assess, "Kinds, outlook, options and red flags of one case", outputs.result("assessment")),
        Offer(_measuring(places), "Every calcium deposit on one CT, measured", outputs.result("measurement")),
        Offer(_comparing(places), "What became of every deposit between two CTs", outputs.result("change")),
        Offer(_evidence_ask, "Answer a question from the cards", outputs.answer()),
        Offer(_evidence_show, "One card, whole, with its sources", outputs.cards()),
        Offer(_evidence_table, "The kinds of calcification compared", outputs.table()),
        Offer(_evidence_words, "The words a case may use", outputs.words()),
    )


def _assess(
    case: Annotated[Any, Field(description="See the schema.")],
    change: Annotated[Any, Field(description="What the tool compare answered for this person's scans, unchanged.")] = None,
) -> CallToolResult:
    """Name the kind of one calcium deposit and why, its outlook in counted studies, options, what must not wait, and what to ask next.

    Give only what is known: not asked is unknown, and unknown is not normal. Red flags come first, whatever the kind.
    Every sentence carries its sources, and a refusal is a result: do not fill it in. Say that it is for research and education.
    """
    if not isinstance(case, dict):
        raise UserError("case: found no object; expected fields such as site, findings and labs, or a FHIR resource")
    read = verbs.read_case(case)
    if change is not None:
        from ..terms.kept import kept

        read = read.with_change(_change(kept(json.dumps(change), "change")))
    said = verbs.assess(read)
    return _told(to_dict(said), to_text(said, why=True))


def _change(kept: object) -> Change:
    if isinstance(kept, Change):
        return kept
    raise UserError(f"change: found a {type(kept).__name__.lower()}; expected what compare answered for two scans")


def _measuring(places: Places) -> Callable[..., CallToolResult]:
    def measure(scan: Scan, labels: Labels = None, series: Series = None, stated: OfScan = NOTHING) -> CallToolResult:
        """Measure every calcium deposit on a CT: Agatston, volume, mass, diameter, HU, site and place (LPS mm).

        Each number has a 95 % interval, or a reason why it is refused: report both. Contrast and metal are never counted as calcium.
        """
        where = places.within(scan)
        made = verbs.measure(where, labels=_labels(places, labels), series=series, settings=_settings(stated))
        return _told(to_dict(made), to_text(made))

    return measure


def _comparing(places: Places) -> Callable[..., CallToolResult]:
    def compare(
        baseline: Scan, followup: Scan, labels_baseline: Labels = None, labels_followup: Labels = None, stated: OfPair = NOTHING_OF_PAIR
    ) -> CallToolResult:
        """Tell what became of every calcium deposit between two CTs of one person: gone, smaller, unchanged, larger, new, or cannot tell.

        Each verdict is judged against the smallest change this pair can show. `cannot tell` is a verdict: report it with its reason.
        """
        from .. import followup as light_box

        made = verbs.compare(
            places.within(baseline),
            places.within(followup),
            labels_baseline=_labels(places, labels_baseline),
            labels_followup=_labels(places, labels_followup),
            settings=_settings(stated),
            stated=light_box.Stated(months=stated.months, same_person=stated.same_person, bmi=stated.bmi),
        )
        return _told(to_dict(made), to_text(made))

    return compare


def _settings(stated: Stated) -> Any:
    from ..ct.measuring import Settings

    return Settings(stated.convention, stated.calibration, stated.kvp, stated.contrast, stated.box)


def _labels(places: Places, path: str | None) -> Any:
    return None if path is None else places.within(path)


def _evidence_ask(question: Annotated[str, Field(description="In words, such as: does vitamin K2 dissolve plaque?")]) -> CallToolResult:
    """Answer a question on calcification from the cards alone, each sentence with its source, or say that no card covers it."""
    from ..consult import ask

    said = ask(question, library())
    if said is None:
        return _told({"question": question, "covered": False}, "Not covered: no card answers this question.\n")
    return _told(json.loads(to_json(said)), answer_to_text(said))


def _evidence_show(id: Annotated[str, Field(description="The id of any card, such as calcific_tendinopathy.")]) -> CallToolResult:  # noqa: A002
    """One card whole: a kind, cause, word, quantity, formula, option, question or source, with how each source was read."""
    found = whole(id, library())
    if not found:
        raise UserError(f"found no card {id[:80]!r}; {nearest(id, library(), 'evidence_table names the kinds')}")
    return _told({"cards": found}, json.dumps(found, indent=1, ensure_ascii=False))


def _evidence_table() -> CallToolResult:
    """The kinds of calcification compared: where, the chance of going away with its interval, what changes it, the approach."""
    from ..consult import table

    rows = table(library())
    return _told(json.loads(to_json({"rows": rows})), table_to_text(rows))


def _evidence_words(group: Group) -> CallToolResult:
    """Every word that a field of a case takes, with its other names, what counts and what does not, and units of labs and measures."""
    shelf = library()
    cards: list[Any] = [*shelf.decks.words, *shelf.decks.quantities]
    of = list(shelf.decks.options) if group == "option" else [card for card in cards if card.group == group]
    told = [dict(_word(card)) for card in of]
    return _told({"words": told}, "\n".join("; ".join(f"{key}: {value}" for key, value in word.items()) for word in told))


def _word(card: Any) -> Iterator[tuple[str, Any]]:
    yield "id", card.id
    yield "name", card.name
    if card.also:
        yield "also", list(card.also)
    if isinstance(card, Word) and card.counts:
        yield "counts", card.counts
    if isinstance(card, Word) and card.not_counted:
        yield "does_not_count", card.not_counted
    if isinstance(card, Quantity):
        yield "units", ", ".join(unit for unit in dict.fromkeys((card.unit, *card.units)) if unit) or "no unit"


def _told(whole: dict[str, Any], text: str) -> CallToolResult:
    plain = json.loads(json.dumps(whole))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=plain)


def in_words(call: Callable[..., CallToolResult]) -> Callable[..., CallToolResult]:
    """The same tool: what it refuses reaches the assistant in the house's words; a crash says nothing of the input, nor does the log."""

    @wraps(call)
    def answered(*given: Any, **named: Any) -> CallToolResult:
        try:
            return call(*given, **named)
        except ResorbError as refused:
            raise ToolError(str(refused)) from None
        except ImportError:
            raise ToolError(NO_IMAGING) from None
        except OSError as error:
            raise ToolError(f"{error.filename or 'input'}: cannot be read ({error.strerror or type(error).__name__})") from None
        except Exception as error:  # noqa: BLE001  a traceback of it may hold what the case says
            raise ToolError(f"failed inside resorb ({type(error).__name__}); this is a fault, please report it") from None

    return answered
