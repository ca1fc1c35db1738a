"""Results go out: into a folder, by STOW-RS, or by C-STORE. All of them arrive, or it is a failure that names those that did not."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resorb.ct.refused import refuse
from resorb.pacs.address import DimsePeer, WebAddress, target
from resorb.pacs.failed import PacsFailed, need_libraries, quiet
from resorb.pacs.web import Patience, server
from resorb.terms.errors import UserError

OUR_AET = "RESORB"
SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")


def deliver(instances: Sequence[Any], *, folder: str | Path | None = None, send: str | None = None) -> str:
    """Write the objects into `folder` and send them to `send` (a DICOMweb address or AET@host:port). Returns one line on what was done."""
    said = []
    if folder is not None:
        write(instances, Path(folder))
        said.append(f"wrote {len(instances)} DICOM files to {folder}")
    if send is not None:
        peer = target(send)
        (stow if isinstance(peer, WebAddress) else store)(instances, peer)  # type: ignore[arg-type]
        said.append(f"sent {len(instances)} DICOM objects to {send}")
    return "; ".join(said)


def ready(send: str | None) -> None:
    """Refuse a target that could never be sent to, before long work is done for it."""
    if send is not None:
        target(send)
        need_libraries()


def write(instances: Sequence[Any], folder: Path) -> list[Path]:
    """One file for each object, named by kind and number; each whole or not at all. The folder is made where it is missing."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, instance in zip(_names(instances), instances, strict=True):
            part = folder / f".{name}.{os.getpid()}.part"
            with quiet():
                instance.save_as(part, enforce_file_format=True)
            part.replace(folder / name)
            written.append(folder / name)
    except OSError as error:
        for left in folder.glob(f".*.{os.getpid()}.part"):
            left.unlink(missing_ok=True)
        raise UserError(f"{folder}: cannot be written ({error.strerror}); is it a folder, with room left?") from None
    return written


def _names(instances: Sequence[Any]) -> list[str]:
    """seg.dcm, sr.dcm, picture-1.dcm ...; of several scans with baseline-, followup- and so on before them."""
    kinds = {"SEG": "seg", "SR": "sr"}
    scans, names, before = 0, [], "picture"
    for instance in instances:
        kind = kinds.get(str(instance.Modality), "picture")
        scans += before == "picture" and kind != "picture"  # pictures are the last of each scan
        names.append((scans, f"picture-{instance.InstanceNumber}" if kind == "picture" else kind))
        before = kind
    places = ["", "baseline-", "followup-", *(f"followup-{n}-" for n in range(2, scans + 1))] if scans > 1 else [""] * 2
    return [f"{places[scan]}{name}.dcm" for scan, name in names]


def stow(instances: Sequence[Any], address: WebAddress, patience: Patience | None = None) -> None:
    """STOW-RS, study by study. The answer is read instance by instance: one that is not among the stored is a failure."""
    from requests.exceptions import HTTPError

    by_study: dict[str, list[Any]] = {}
    for instance in instances:
        by_study.setdefault(str(instance.StudyInstanceUID), []).append(instance)
    with server(address, patience) as client:
        for number, (study, some) in enumerate(by_study.items()):
            try:
                answer = client.store_instances(some, study_instance_uid=study)
            except HTTPError as error:
                if error.response is None or error.response.status_code != 409:
                    raise
                answer = _body(error.response)
            if not answer:  # an answer without a body, or in a form the client does not read: ask what is there
                answer = _held(client, study, some)
            _all_stored(answer, some, address, f"{number} of {len(by_study)} studies before")


def _held(client: Any, study: str, sent: list[Any]) -> Any:
    """Which of the objects the server holds now, as if it had said so."""
    from pydicom import Dataset

    answer, found = Dataset(), []
    for series in dict.fromkeys(str(i.SeriesInstanceUID) for i in sent):
        for item in client.search_for_instances(study, series):
            one = Dataset()
            one.ReferencedSOPInstanceUID = (item.get("00080018", {}).get("Value") or [""])[0]
            found.append(one)
    answer.ReferencedSOPSequence = found
    return answer


def _body(response: Any) -> Any:
    """The data set in the body of a refusal; empty where there is none."""
    from pydicom import Dataset

    try:
        said = response.json()
        return Dataset.from_json(said[0] if isinstance(said, list) else said)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return Dataset()


def _all_stored(answer: Any, sent: list[Any], address: WebAddress, before: str) -> None:
    stored = {str(item.get("ReferencedSOPInstanceUID", "")) for item in answer.get("ReferencedSOPSequence") or []}
    failed = {str(i.get("ReferencedSOPInstanceUID", "")): i.get("FailureReason", 0) for i in answer.get("FailedSOPSequence") or []}
    missing = [i for i in sent if str(i.SOPInstanceUID) not in stored or str(i.SOPInstanceUID) in failed]
    if missing:
        why = ", ".join(f"{i.Modality} (reason {_hex(failed.get(str(i.SOPInstanceUID)))})" for i in missing[:5])
        raise PacsFailed(
            f"{address.root}: stored {len(sent) - len(missing)} of {len(sent)} objects ({before}); not stored: {why}. "
            "Sending again is safe: the same results have the same UIDs"
        )


def _hex(reason: Any) -> str:
    return f"0x{int(reason):04X}" if isinstance(reason, int) and reason else "not told"


def store(instances: Sequence[Any], peer: DimsePeer, patience: Patience | None = None) -> None:
    """C-STORE over one association. Each status is read; whatever is not stored is a failure that says how far it came."""
    patience = patience or Patience.of_environment()
    where = f"{peer.aet}@{peer.host}:{peer.port}"
    with quiet():
        association = _associate(instances, peer, patience, where)
        done = 0
        try:
            for instance in instances:
                _store_one(association, instance, where, f"{done} of {len(instances)} objects stored")
                done += 1
            association.release()
        finally:
            if not association.is_released:
                association.abort()


def _associate(instances: Sequence[Any], peer: DimsePeer, patience: Patience, where: str) -> Any:
    from pynetdicom import AE

    _reachable(peer, patience, where)
    ae = AE(ae_title=OUR_AET)
    ae.connection_timeout, ae.acse_timeout, ae.network_timeout = patience.connect, patience.read, patience.read
    ae.dimse_timeout = patience.read
    for sop_class in dict.fromkeys(str(i.SOPClassUID) for i in instances):
        ae.add_requested_context(sop_class, list(SYNTAXES))
    association = ae.associate(peer.host, peer.port, ae_title=peer.aet)
    if not association.is_rejected and not association.is_established:  # a peer that closes in haste can take its own refusal with it
        association = ae.associate(peer.host, peer.port, ae_title=peer.aet)
    if association.is_rejected:
        raise PacsFailed(f"{where}: refuses the association; try: the right AE title, and {OUR_AET} among the peers it knows")
    if not association.is_established:
        raise PacsFailed(f"{where}: accepts the connection but no association; is it a DICOM port, and does it take SEG and SR?")
    return association


def _reachable(peer: DimsePeer, patience: Patience, where: str) -> None:
    """Say plainly what keeps us from the port, before the protocol starts."""
    try:
        socket.create_connection((peer.host, peer.port), timeout=patience.connect).close()
    except TimeoutError:
        raise PacsFailed(f"{where}: does not answer within {patience.connect:g} s") from None
    except socket.gaierror:
        raise refuse("--send", f"a host nobody knows ({peer.host})", "AET@host:port") from None
    except OSError as error:
        raise PacsFailed(f"{where}: cannot be reached ({error.strerror or error})") from None


def _store_one(association: Any, instance: Any, where: str, so_far: str) -> None:
    kind = str(instance.Modality)
    try:
        answer = association.send_c_store(instance)
    except ValueError:
        raise PacsFailed(f"{where}: does not take {kind} objects; {so_far}") from None
    except RuntimeError:
        raise PacsFailed(f"{where}: broke the association; {so_far}. Sending again is safe") from None
    if not answer or "Status" not in answer:
        raise PacsFailed(f"{where}: broke off, or did not answer in time; {so_far}. Sending again is safe")
    if answer.Status != 0x0000 and answer.Status & 0xF000 != 0xB000:
        raise PacsFailed(f"{where}: refused a {kind} object (status 0x{answer.Status:04X}); {so_far}")
