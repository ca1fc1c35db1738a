"""How fast FHIR records become cases and answers become FHIR, beside the JSON parser alone and a full model of FHIR."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.records import bundle, condition, lab, medicine, patient

from resorb.consult import assess
from resorb.evidence import library, read_case_mapping
from resorb.fhir import read, to_fhir

from .assess import Line, median_seconds

SYNTHEA = Path(__file__).parents[2] / "shared" / "data" / "fhir"


def fifty() -> bytes:
    """A bundle of 50 resources: a patient, 33 labs and measures over time, 8 diagnoses, 8 medicines."""
    labs = ["17861-6", "2777-1", "1751-7", "2160-0", "33914-3", "39156-5", "8480-6", "2823-3", "2093-3", "718-7", "777-3"]
    units = ["mg/dL", "mg/dL", "g/dL", "mg/dL", "mL/min/{1.73_m2}", "kg/m2", "mm[Hg]", "mmol/L", "mg/dL", "g/dL", "10*3/uL"]
    values = [9.4, 4.1, 4.0, 1.1, 72, 27.1, 131, 4.2, 190, 13.9, 240]
    observations = [
        lab(code, value, unit, when=f"202{year}-03-0{n % 9 + 1}T08:00:00+01:00")
        for year in (2, 3, 4)
        for n, (code, unit, value) in enumerate(zip(labs, units, values, strict=True))
    ]
    icd = ["I10", "E11.22", "N18.31", "E78.5", "M75.31", "K80.20", "Z87.891", "J06.9"]
    drugs = ["Simvastatin 20 MG Oral Tablet", "Warfarin Sodium 5 MG Oral Tablet", "Hydrochlorothiazide 25 MG", "Metformin 500 MG"] * 2
    return json.dumps(bundle(patient(), *observations, *map(condition, icd), *map(medicine, drugs))).encode()


def cpu_seconds(runs: dict[str, Callable[[], object]], rounds: int = 40) -> dict[str, float]:
    """CPU seconds of each run, taken in turn so that all meet the same machine; the best of many short slices."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            for _ in range(4):
                run()
            best[name] = min(best[name], (time.process_time() - start) / 4)
    return best


def lines() -> list[Line]:
    """Every figure of this benchmark."""
    raw, shelf = fifty(), library()
    assert len(json.loads(raw)["entry"]) == 50
    took = cpu_seconds({"read": lambda: read(raw, shelf), "json": lambda: json.loads(raw)})
    said = assess(read_case_mapping({"site": "shoulder.supraspinatus", "age": 48}, shelf), shelf)
    writing = median_seconds(lambda: to_fhir(said), 9)
    return [
        Line("FHIR bundles of 50 resources read to a case, one core", f"{1 / took['read']:,.0f} a second"),
        Line(
            "the same bundle through Python's json alone",
            f"{1 / took['json']:,.0f} a second; reading takes {took['read'] / took['json']:.1f} times",
        ),
        *_model(raw, took["read"]),
        Line("an assessment written as FHIR", f"{writing * 1000:.1f} ms"),
        Line("read, assessed and written as FHIR", f"{_whole(raw) * 1000:.1f} ms"),
        *_synthea(),
    ]


def _whole(raw: bytes) -> float:
    shelf = library()
    return median_seconds(lambda: to_fhir(assess(read(raw, shelf), shelf)), 9)


def _model(raw: bytes, reading: float) -> list[Line]:
    """The same bytes through fhir.resources, which models all of R4B."""
    try:
        from fhir.resources.R4B.bundle import Bundle
    except ImportError:
        return []
    modelled = cpu_seconds({"model": lambda: Bundle.model_validate_json(raw)}, rounds=8)["model"]
    return [Line("the same bundle parsed by fhir.resources R4B", f"{1 / modelled:,.0f} a second: {modelled / reading:.1f} times as long")]


def _synthea() -> list[Line]:
    """Whole records of made-up patients, where they stand beside the project."""
    records = [path.read_bytes() for path in sorted(SYNTHEA.glob("*.json"))]
    if not records:
        return []
    seconds = median_seconds(lambda: [read(raw) for raw in records], 3)
    size = sum(map(len, records)) / 1e6
    return [Line(f"{len(records)} whole Synthea records read to cases", f"{size / seconds:,.0f} MB a second")]
