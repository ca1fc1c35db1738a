"""Studies come in: QIDO-RS says what there is, WADO-RS brings it instance by instance, and the count must fit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resorb.ct.entries import MOST_FILES
from resorb.ct.header import CT_CLASSES
from resorb.ct.refused import ScanRefused, refuse
from resorb.pacs.address import WebAddress, is_address, is_uid, web_address
from resorb.pacs.failed import PacsFailed, need_libraries
from resorb.pacs.sources import MAKER, RESULTS
from resorb.pacs.web import Patience, server

AT_ONCE = 4
PAGE = 1000
SOP, SERIES, COUNT, MODALITY, DESCRIPTION = "00080018", "0020000E", "00201209", "00080060", "0008103E"


@contextmanager
def borrowed(place: str | Path, study: str | None = None, series: str | None = None, *, results: bool = False) -> Iterator[Path]:
    """A path where the scan lies: the path itself, or for a DICOMweb address a private folder that is gone afterwards.

    results : also bring our own SEG and reports of the study, in which the deposits have their names.
    """
    if not is_address(place):
        if study:
            hint = "a PACS is asked by DICOMweb, https://..." if "@" in str(place) else "--series alone picks one of a folder"
            raise refuse("--study", f"a UID, and {place}", "a DICOMweb address with it", hint)
        yield Path(place)
        return
    need_libraries()
    address = web_address(str(place), study, series)
    if address.study is None:
        raise refuse(str(place), "no study", "--study UID, or an address ending in /studies/UID")
    with tempfile.TemporaryDirectory(prefix="resorb-") as folder:
        fetch(address, Path(folder), results=results)
        yield Path(folder)


def fetch(address: WebAddress, folder: Path, patience: Patience | None = None, *, results: bool = False) -> int:
    """Bring the CT images of a study, or of one of its series, into `folder`. Refused unless every one of them comes.

    Each answer is checked to be the instance that was asked for. Returns how many came.
    """
    from requests.exceptions import HTTPError

    with server(address, patience) as client:
        held = _series(client, address) | (_ours(client, address) if results else {})
        wanted = [(series, sop) for series, count in held.items() for sop in _instances(client, address, series, count)]
        if len(wanted) > MOST_FILES:
            raise refuse(address.root, f"{len(wanted)} images in the study", f"at most {MOST_FILES}", "--series")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [pool.submit(_bring, client, address, series, sop, folder / f"{n:05d}.dcm") for n, (series, sop) in enumerate(wanted)]
            came = 0
            try:
                for done in waiting:
                    done.result()
                    came += 1
            except HTTPError as error:
                pool.shutdown(wait=False, cancel_futures=True)
                if error.response is None or error.response.status_code not in (404, 410):
                    raise
                raise _half(address, wanted[came][0], f"{came} images of {len(wanted)} and HTTP 404 for the next") from None
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return len(wanted)


def _half(address: WebAddress, series: str, what: str) -> ScanRefused:
    where = f"{address.root} series {series}"
    return refuse(where, f"half a study: {what}", "every image", "wait until the PACS has all of it, then try again")


def _series(client: Any, address: WebAddress) -> dict[str, Any]:
    """The CT series to fetch, each with the number of images the server says it has (none where it does not say)."""
    filters = {"SeriesInstanceUID": address.series} if address.series else {"Modality": "CT"}
    found = client.search_for_series(address.study, search_filters=filters, fields=["NumberOfSeriesRelatedInstances"])
    out = {}
    for item in found:
        uid, modality = _value(item, SERIES), _value(item, MODALITY)
        if isinstance(uid, str) and is_uid(uid) and modality in ("CT", None) and address.series in (None, uid):
            out[uid] = _value(item, COUNT)
    if not out:
        raise _no_ct(client, address)
    return out


def _no_ct(client: Any, address: WebAddress) -> ScanRefused:
    """What the study holds in place of a CT series that was asked for; another word for a study that is not there."""
    held = client.search_for_series(address.study)
    kinds = sorted({str(_value(item, MODALITY)) for item in held if _value(item, MODALITY)})
    what = f"no CT series {address.series}" if address.series and "CT" in kinds else "no CT series"
    said = f"{what}, only {', '.join(kinds)}" if kinds and "CT" not in kinds else what if kinds else "no such study, or nothing in it"
    return refuse(f"{address.root} study {address.study}", said, "a CT that this server holds", "check the UIDs")


def _ours(client: Any, address: WebAddress) -> dict[str, Any]:
    """The series of SEG and reports in the study that we may have made: another maker describes them otherwise."""
    out: dict[str, Any] = {}
    for modality in RESULTS:
        for item in client.search_for_series(address.study, search_filters={"Modality": modality}, fields=["SeriesDescription"]):
            uid, said = _value(item, SERIES), _value(item, DESCRIPTION)
            if isinstance(uid, str) and is_uid(uid) and _value(item, MODALITY) == modality and str(said or MAKER).startswith(MAKER):
                out[uid] = None
    return out


def _instances(client: Any, address: WebAddress, series: str, count: Any) -> list[str]:
    """The UIDs of the images of a series, page after page, until a page brings nothing new; refused where they are too few."""
    seen: dict[str, None] = {}
    while True:
        page = client.search_for_instances(address.study, series, limit=PAGE, offset=len(seen))
        fresh = [uid for item in page if isinstance(uid := _value(item, SOP), str) and is_uid(uid) and uid not in seen]
        seen.update(dict.fromkeys(fresh))
        if not fresh or len(seen) > MOST_FILES:
            break
    if not seen or (isinstance(count, int) and len(seen) < count):
        raise _half(address, series, f"{len(seen)} images of {count}" if isinstance(count, int) else "no image")
    return list(seen)


def _value(item: Any, tag: str) -> Any:
    """The first value of an attribute in DICOM JSON; none if absent."""
    values = item.get(tag, {}).get("Value") if isinstance(item, dict) else None
    return values[0] if values else None


def _bring(client: Any, address: WebAddress, series: str, sop: str, to: Path) -> None:
    """One instance into one file, if it is the one that was asked for."""
    data = client.retrieve_instance(address.study, series, sop, media_types=(("application/dicom", "*"),))
    for name, asked in (("StudyInstanceUID", address.study), ("SeriesInstanceUID", series), ("SOPInstanceUID", sop)):
        if str(data.get(name, "")) != asked:
            raise refuse(f"{address.root} instance {sop}", f"another {name} in what was sent", "the instance that was asked for")
    if data.SOPClassUID in CT_CLASSES and "PixelData" not in data:
        raise refuse(f"{address.root} instance {sop}", "an image without pixels", "whole instances")
    try:
        data.save_as(to, enforce_file_format=True)
    except OSError as error:
        raise PacsFailed(f"{to.parent}: cannot be written ({error.strerror}); is there room in the temporary folder (TMPDIR)?") from None
