"""The C-STORE door: what arrives is whole on disk and in the journal before its sender is told so."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resorb.ct.entries import MOST_FILES
from resorb.ct.header import CT_CLASSES
from resorb.ct.refused import refuse
from resorb.pacs.address import AET, is_uid
from resorb.pacs.failed import PacsFailed
from resorb.pacs.journal import Journal
from resorb.pacs.web import LOOPBACK

SUCCESS, FULL, MISMATCH, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xA900, 0xC000
KEPT_FREE_BYTES = 2 * 2**30
MOST_BYTES = 2 * 2**30
MOST_AT_ONCE = 10
LONGEST_SILENCE_S = 60.0
VERIFICATION = "1.2.840.10008.1.1"
SYNTAXES = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """Where to listen, under which title, and which titles may call; from other machines only named ones may."""

    host: str = "127.0.0.1"
    port: int = 11112
    aet: str = "RESORB"
    callers: tuple[str, ...] = ()

    def checked(self) -> Door:
        """The same, or refused for what could not work or would let anybody in."""
        for title in (self.aet, *self.callers):
            if not AET.fullmatch(title):
                raise refuse("--aet or --from", repr(title), "1 to 16 characters, no backslash")
        if self.host not in LOOPBACK and not self.callers:
            raise refuse("--host", f"{self.host} and no --from", "the titles that may call, or this machine alone", "--from THEIR_AET")
        return self


def study_key(study: str) -> str:
    """The name of a study's folder; it tells nobody which study it is."""
    return hashlib.sha256(study.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Told:
    """Whom the door tells. heard : a study's key, for each image on disk. cut : the keys of studies whose sender broke off.
    refused : the titles, caller's and called, of a call that was refused.
    """

    heard: Callable[[str], None]
    cut: Callable[[set[str]], None] = field(default=lambda keys: None)
    refused: Callable[[str, str], None] = field(default=lambda caller, called: None)


def open_door(door: Door, folder: Path, told: Told) -> Any:
    """Start to listen. Returns the server, to be shut down."""
    from pynetdicom import AE

    ae = AE(ae_title=door.aet)
    ae.maximum_associations, ae.network_timeout, ae.dimse_timeout, ae.acse_timeout = (MOST_AT_ONCE, *(LONGEST_SILENCE_S,) * 3)
    ae.require_called_aet, ae.require_calling_aet = True, list(door.callers)
    for sop_class in CT_CLASSES:
        ae.add_supported_context(sop_class, list(SYNTAXES))
    ae.add_supported_context(VERIFICATION)
    (folder / "arriving").mkdir(parents=True, exist_ok=True)
    try:
        return ae.start_server((door.host, door.port), block=False, evt_handlers=_handlers(folder, told))
    except OSError as error:
        raise PacsFailed(f"--port {door.port}: cannot be listened on ({error.strerror}); is it taken?") from None


def _handlers(folder: Path, told: Told) -> list[Any]:
    """What is done at each event. A call that ends without a release was cut off, and may have brought half a study."""
    from pynetdicom import evt

    brought: dict[Any, set[str]] = {}

    def store(event: Any) -> int:
        def heard(key: str) -> None:
            brought.setdefault(event.assoc, set()).add(key)
            told.heard(key)

        return _received(event, folder, heard)

    def cut(event: Any) -> None:
        if keys := brought.pop(event.assoc, None):
            told.cut(keys)

    def refused(event: Any) -> None:
        asked = event.assoc.requestor.primitive
        told.refused(str(asked.calling_ae_title).strip(), str(asked.called_ae_title).strip())

    return [
        (evt.EVT_C_STORE, store), (evt.EVT_C_ECHO, lambda event: SUCCESS), (evt.EVT_REJECTED, refused),
        (evt.EVT_RELEASED, lambda event: brought.pop(event.assoc, None)), (evt.EVT_ABORTED, cut), (evt.EVT_CONN_CLOSE, cut),
    ]  # fmt: skip


def _received(event: Any, folder: Path, heard: Callable[[str], None]) -> int:
    """One image: looked at, written whole, entered. The status to answer."""
    try:
        data = bytes(event.encoded_dataset())
        if len(data) > MOST_BYTES or shutil.disk_usage(folder).free < KEPT_FREE_BYTES + len(data):
            return FULL
        study, series, sop, status = _names(data, event)
        if status != SUCCESS:
            return status
        key = study_key(study)
        home = folder / "studies" / key / study_key(series)
        home.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in os.scandir(home)) >= MOST_FILES:
            return FULL
        write_whole(data, folder / "arriving", home / f"{study_key(sop)}.dcm")
        heard(key)
    except (OSError, sqlite3.Error):
        return FULL
    except Exception:  # noqa: BLE001  whatever a sender makes of DICOM, the door stays open; it is told that it was not understood
        return NOT_UNDERSTOOD
    return SUCCESS


def _names(data: bytes, event: Any) -> tuple[str, str, str, int]:
    """Study, series and instance of an image, and the status: refused without them, or where they are not what was announced."""
    import pydicom

    wanted = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Rows", "Columns"]
    header = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True, specific_tags=wanted)
    study, series, sop = (str(header.get(name) or "") for name in wanted[:3])
    if not all(map(is_uid, (study, series, sop))) or not header.get("Rows") or not header.get("Columns"):
        return study, series, sop, NOT_UNDERSTOOD
    announced = (str(event.request.AffectedSOPInstanceUID), str(event.request.AffectedSOPClassUID))
    return study, series, sop, SUCCESS if announced == (sop, str(header.get("SOPClassUID"))) else MISMATCH


def write_whole(data: bytes, aside: Path, to: Path) -> None:
    """Write a file so that it is there whole, on disk, or not at all."""
    part = aside / uuid.uuid4().hex
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(to)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    for folder in (to.parent, to.parent.parent):
        _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def found_on_disk(folder: Path, journal: Journal, quiet: float) -> int:
    """Enter the studies that lie on disk but not in the journal; clear what was half written. Returns how many were entered."""
    for part in (folder / "arriving").glob("*"):
        part.unlink(missing_ok=True)
    there = {home.name for home in (folder / "studies").glob("*") if any(home.rglob("*.dcm"))}
    missing = sorted(there - journal.known())
    for key in missing:
        journal.arrived(key, quiet)
    return len(missing)
