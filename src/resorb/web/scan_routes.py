"""Scans: upload, state, measurement, pictures, deletion."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from . import jobs
from .describe import as_json, bytes_of, json_of, page_of, problem_answers
from .guard import REPORT_POLICY
from .house import House, house_of
from .problems import Refused
from .resources import Accepted, Scan, moment, problems_of, scan_links
from .store import JOBS, KEYS, SCANS, now
from .uploads import Received, receive

router = APIRouter(prefix="/api/v1/scans", tags=["scans"])
AHouse = Annotated[House, Depends(house_of)]
ScanId = Annotated[str, Path(max_length=40)]
KeyHeader = Annotated[
    str | None, Header(alias="Idempotency-Key", max_length=200, description="Send the same key again and nothing is done twice")
]
NUMBERS = ("calibration", "kvp")
WORDS = ("convention", "contrast", "series")
FILE = {"type": "string", "format": "binary"}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": FILE, "description": "DICOM files, one zip of them, or one NIfTI"},
                        "labels": FILE | {"description": "where to look: NIfTI label map or DICOM SEG"},
                        "series": {"type": "string"},
                        "convention": {"type": "string", "description": "Agatston convention, as `resorb measure --convention`"},
                        "calibration": {"type": "number", "description": "mg/cm3 for each HU"},
                        "kvp": {"type": "number"},
                        "contrast": {"type": "string", "enum": ["none", "given"]},
                        "box": {"type": "string", "description": "two corners x,y,z,x,y,z in LPS mm"},
                    },
                }
            },
            "application/zip": {"schema": FILE},
            "application/octet-stream": {"schema": FILE},
        },
    }
}


@router.post(
    "",
    status_code=202,
    summary="Upload a CT; a job measures it",
    response_model=Accepted,
    responses=problem_answers(400, 408, 409, 413, 415, 422, 503, 507),
    openapi_extra=UPLOAD,
)
async def upload(request: Request, house: AHouse, key: KeyHeader = None) -> JSONResponse:
    """Many DICOM files, a zip, or a NIfTI file, streamed to disk. Client file names are neither used nor kept."""
    told = request.headers.get("content-length", "")
    house.shelves.check_room(int(told) if told.isdigit() else 0)
    with house.shelves.made("s") as (scan, folder):
        received = await receive(request, folder, house.settings.limits)
        settings = settings_of(received.fields)
        accepted = await run_in_threadpool(_keep, house, scan, received, settings, _owned(key, request))
    house.hands.wake()
    request.state.subject = accepted.scan
    return JSONResponse(accepted.model_dump(), 202, {"Location": f"/api/v1/jobs/{accepted.job}"})


def _owned(key: str | None, request: Request) -> tuple[str, str]:
    """The key as it is kept (hashed, with who sent it), and who."""
    who = str(request.state.who)
    return (hashlib.sha256(f"{who}\n{key}".encode()).hexdigest() if key else "", who[:80])


def _keep(house: House, scan: str, received: Received, settings: dict[str, Any], owned: tuple[str, str]) -> Accepted:
    """Put the upload on its shelf and its job in the queue; or, where the key was used before, what was answered then."""
    key, who = owned
    digest = hashlib.sha256(received.digest.digest() + json.dumps(settings, sort_keys=True).encode()).hexdigest()
    earlier = _earlier(house, key, digest)
    if earlier is not None:
        return earlier
    house.shelves.place(scan, received.folder)
    try:
        with house.store.begin() as connection:
            if key:
                connection.execute(insert(KEYS).values(key=key, created=now(), subject=scan, sha256=digest))
            job = jobs.add(connection, "measure", scan, house.settings.limits)
            form = received.files["files"][0].suffix.strip(".") if received.count else ""
            row = {"id": scan, "created": now(), "form": form, "files": received.count, "bytes": received.bytes, "owner": who}
            connection.execute(insert(SCANS).values(**row, sha256=digest, settings=json.dumps(settings), job=job))
    except IntegrityError:
        house.shelves.remove(scan)
        earlier = _earlier(house, key, digest)
        if earlier is None:
            raise
        return earlier
    except BaseException:
        house.shelves.remove(scan)
        raise
    return Accepted(scan=scan, job=job, links=scan_links(scan) | {"job": f"/api/v1/jobs/{job}"})


def _earlier(house: House, key: str, digest: str) -> Accepted | None:
    """What an earlier upload with this key became."""
    if not key:
        return None
    with house.store.begin() as connection:
        found = connection.execute(
            select(KEYS.c.sha256, SCANS.c.id, SCANS.c.job).join(SCANS, SCANS.c.id == KEYS.c.subject).where(KEYS.c.key == key)
        ).first()
    if found is None:
        return None
    if found.sha256 != digest:
        raise Refused(422, "Idempotency-Key", "the key of another upload", "a new key for new files")
    return Accepted(scan=found.id, job=found.job, links=scan_links(found.id) | {"job": f"/api/v1/jobs/{found.job}"})


def settings_of(fields: dict[str, str]) -> dict[str, Any]:
    """What the sender stated beside the files. Raises Refused (422) for what is no setting."""
    stated: dict[str, Any] = {}
    for name, value in fields.items():
        if not value.strip():
            continue
        if name in NUMBERS:
            stated[name] = _number(name, value)
        elif name == "box":
            stated[name] = [_number(name, part) for part in value.split(",")]
            if len(stated[name]) != 6:
                raise Refused(422, "box", f"{len(stated[name])} numbers", "six numbers x,y,z,x,y,z in LPS mm")
        elif name in WORDS:
            stated[name] = value.strip()
        else:
            raise Refused(422, name[:40], "an unknown field", "one of files, labels, box, " + ", ".join((*WORDS, *NUMBERS)))
    return _possible(stated)


def _possible(stated: dict[str, Any]) -> dict[str, Any]:
    from ..ct.agatston import CONVENTIONS

    if stated.get("convention", next(iter(CONVENTIONS))) not in CONVENTIONS:
        raise Refused(422, "convention", "an unknown convention", "one of " + ", ".join(CONVENTIONS))
    if stated.get("contrast", "none") not in ("none", "given"):
        raise Refused(422, "contrast", "another word", "none or given")
    return stated


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused(422, name, "no number", "a number")
    return number


def row_of(house: House, scan: str) -> dict[str, Any]:
    """A scan and the state of its job. Raises Refused (404)."""
    columns = (*SCANS.c, JOBS.c.state, JOBS.c.progress, JOBS.c.says)
    with house.store.begin() as connection:
        row = connection.execute(select(*columns).join(JOBS, JOBS.c.id == SCANS.c.job).where(SCANS.c.id == scan)).mappings().first()
    if row is None:
        raise Refused(404, "id", "no such scan", "an id that this service gave, not deleted since")
    return dict(row)


@router.get("/{id}", summary="A scan: its state and what there is of it", response_model=Scan, responses=problem_answers(404))
def scan(id: ScanId, house: AHouse) -> Scan:  # noqa: A002
    """Shape and spacing are known once the scan is measured."""
    row = row_of(house, id)
    facts: dict[str, Any] = {}
    if row["state"] == "done":
        facts = json.loads(house.shelves.result(id, "view.json").read_text("utf-8"))
    until = moment(row["created"] + house.settings.limits.keep_hours * 3600)
    kept = {name: row[name] for name in ("id", "job", "state", "progress", "says", "form", "files", "bytes")}
    problems = problems_of(house, id) if row["state"] == "failed" else []
    links = scan_links(id) | {"job": f"/api/v1/jobs/{row['job']}"}
    return Scan(
        **kept, created=str(moment(row["created"])), until=str(until), problems=problems, links=links,
        shape=facts.get("shape"), spacing_mm=facts.get("spacing_mm"),
    )  # fmt: skip


@router.delete("/{id}", status_code=204, summary="Delete a scan and all that was made of it", responses=problem_answers(404))
def forget(id: ScanId, house: AHouse) -> Response:  # noqa: A002
    """Comparisons it is part of go with it; its job is cancelled."""
    jobs.cancel(house.store, row_of(house, id)["job"])
    for gone in jobs.forget(house.store, id):
        house.shelves.remove(gone)
    return Response(status_code=204)


@router.get("/{id}/measurement", summary="The measurement", responses=json_of("Measurement") | problem_answers(404, 409))
def measurement(id: ScanId, house: AHouse) -> FileResponse:  # noqa: A002
    """The same bytes as `resorb measure SCAN --json` prints for the files as they lie here."""
    return FileResponse(made(house, id, "measurement.json"), media_type="application/json")


@router.get("/{id}/report.html", summary="The measurement as a page with pictures", responses=page_of() | problem_answers(404, 409))
def report(id: ScanId, house: AHouse) -> FileResponse:  # noqa: A002
    """The page that `resorb measure SCAN --html` writes."""
    return FileResponse(made(house, id, "report.html"), media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})


@router.get(
    "/{id}/labels.nii.gz", summary="The deposits as a label map", responses=bytes_of("application/gzip") | problem_answers(404, 409)
)
def labels(id: ScanId, house: AHouse) -> FileResponse:  # noqa: A002
    """On the grid of the scan: 0 nothing, 1 the deposit with id 1, and so on."""
    return FileResponse(made(house, id, "labels.nii.gz"), media_type="application/gzip")


@router.get(
    "/{id}/preview.nii.gz", summary="The scan, reduced for a viewer", responses=bytes_of("application/gzip") | problem_answers(404, 409)
)
def preview(id: ScanId, house: AHouse) -> FileResponse:  # noqa: A002
    """HU, at most 128 blocks to a side."""
    return FileResponse(made(house, id, "preview.nii.gz"), media_type="application/gzip")


@router.get(
    "/{id}/labels_preview.nii.gz",
    summary="The deposits, reduced likewise",
    responses=bytes_of("application/gzip") | problem_answers(404, 409),
)
def labels_preview(id: ScanId, house: AHouse) -> FileResponse:  # noqa: A002
    """On the grid of the preview."""
    return FileResponse(made(house, id, "labels_preview.nii.gz"), media_type="application/gzip")


Window = Annotated[float, Query(gt=0, le=10_000, description="width of the grey scale [HU]")]
Level = Annotated[float, Query(ge=-4_000, le=10_000, description="centre of the grey scale [HU]")]


@router.get("/{id}/slices/{k}.png", summary="One slice as a picture", responses=bytes_of("image/png") | problem_answers(404, 409, 422))
def slice_picture(id: ScanId, k: int, house: AHouse, window: Window = 800.0, level: Level = 250.0, outline: bool = False) -> Response:  # noqa: A002
    """Slice k, counted from 0 at the feet; one pixel for each voxel. `outline=1` draws the border of each deposit."""
    from ..ct.viewing import slice_png

    view = view_of(house, id, k)
    return Response(
        slice_png(view, k, window, level, outlined=outline), media_type="image/png", headers={"Cache-Control": "private, max-age=3600"}
    )


@router.get("/{id}/slices/{k}.json", summary="The deposits of one slice", responses=json_of("Slice") | problem_answers(404, 409, 422))
def slice_deposits(id: ScanId, k: int, house: AHouse) -> Response:  # noqa: A002
    """Each deposit of slice k with its border as an SVG path in voxels (x to the right, y down)."""
    from ..ct.viewing import outlines_of

    view = view_of(house, id, k)
    return as_json(
        {"slice": k, "shape": view.facts["shape"], "spacing_mm": view.facts["spacing_mm"], "deposits": outlines_of(view.marks(k))}
    )


def made(house: House, scan: str, name: str) -> Any:
    """A file of a measured scan. Raises Refused: 404 no such scan, 409 not measured."""
    state = row_of(house, scan)["state"]
    if state != "done":
        raise Refused(409, "id", f"a scan whose job is {state}", "a scan that is measured", "look at the job", Retry_After="2")
    return house.shelves.result(scan, name)


def view_of(house: House, scan: str, k: int) -> Any:
    """The view of a measured scan, if it has slice k."""
    from ..ct.viewing import open_view

    view = open_view(made(house, scan, "view.json").parent)
    if not 0 <= k < len(view.hu):
        raise Refused(404, "k", f"slice {k}", f"0 to {len(view.hu) - 1}")
    return view
