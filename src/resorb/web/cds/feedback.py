"""Feedback: what became of a card. Kept without the free words, which may name a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert

from ..store import FEEDBACK, Store, now
from .cards import REASONS
from .requests import malformed, mapping

Wrong = list[tuple[str, str, str]]
CODES = {code for code, _ in REASONS}


def feedback_of(body: bytes) -> list[dict[str, Any]]:
    """Read feedback. Raises Refused (400) naming every field that is wrong."""
    listed = mapping(body).get("feedback")
    if not isinstance(listed, list) or not listed or len(listed) > 200:
        raise malformed([("feedback", "no list", "a list of 1 to 200 entries")])
    wrong: Wrong = []
    rows = [_one(entry, f"feedback[{n}]", wrong) for n, entry in enumerate(listed)]
    if wrong:
        raise malformed(wrong)
    return rows


def _one(entry: Any, where: str, wrong: Wrong) -> dict[str, Any]:
    if not isinstance(entry, dict):
        wrong.append((where, "no object", "an object"))
        return {}
    card, outcome, at = entry.get("card"), entry.get("outcome"), entry.get("outcomeTimestamp")
    if not isinstance(card, str) or not 0 < len(card) <= 80:
        wrong.append((f"{where}.card", "no uuid", "the uuid of a card"))
    if outcome not in ("accepted", "overridden"):
        wrong.append((f"{where}.outcome", "another word", "accepted or overridden"))
    if not _is_time(at):
        wrong.append((f"{where}.outcomeTimestamp", "no time", "a time as ISO 8601, in UTC"))
    suggestions = entry.get("acceptedSuggestions")
    if outcome == "accepted" and not _are_suggestions(suggestions):
        wrong.append((f"{where}.acceptedSuggestions", "no list of ids", "the ids of the accepted suggestions"))
    return {"card": card, "outcome": outcome, "outcome_at": str(at)[:40], **_reason(entry, where, wrong), "suggestions": _ids(suggestions)}


def _reason(entry: dict[str, Any], where: str, wrong: Wrong) -> dict[str, Any]:
    given = entry.get("overrideReason")
    if given is None:
        return {"reason": "", "commented": 0}
    coded = given.get("reason") if isinstance(given, dict) else None
    if not isinstance(given, dict) or (coded is not None and not isinstance(coded, dict)):
        wrong.append((f"{where}.overrideReason", "another form", "{reason: {code, system}, userComment}"))
        return {}
    code = str((coded or {}).get("code", ""))
    return {"reason": code if code in CODES else "other" if code else "", "commented": int(bool(given.get("userComment")))}


def _are_suggestions(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(isinstance(s, dict) and isinstance(s.get("id"), str) for s in given)


def _ids(given: Any) -> str:
    return msgspec.json.encode([s["id"][:80] for s in given[:20]] if _are_suggestions(given) else []).decode()


def _is_time(text: Any) -> bool:
    try:
        datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return True


def keep(store: Store, service: str, who: str, rows: list[dict[str, Any]]) -> None:
    """Keep feedback."""
    with store.begin() as connection:
        connection.execute(insert(FEEDBACK), [{**row, "at": now(), "service": service, "who": who[:120]} for row in rows])
