"""Pictures for viewers that show no SEG and no SR: projections with every deposit outlined, and the table, as secondary captures.

Outlines and words are burnt into these pictures of our own, never into a source.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resorb._version import __version__
from resorb.ct.pictures import outline, pictures
from resorb.pacs.identity import NOT_A_DEVICE, PURPOSE, Identity
from resorb.pacs.sources import MAKER
from resorb.pacs.structured import from_to
from resorb.terms.change import Difference
from resorb.terms.measurement import Measure, Picture

if TYPE_CHECKING:
    from resorb.pacs.derived import Measured
    from resorb.terms.change import Change
    from resorb.terms.measurement import DepositMeasure, SiteMeasure

LINE = (255, 200, 0)
WORDS = (235, 235, 235)
SIZE = 15
ROWS_EACH = 28
WIDTH = 900
TABS = (12, 58, 262, 392, 522, 652, 782)
COLUMNS = (
    ("agatston", "Agatston"),
    ("mass_mg", "mass mg"),
    ("volume_mm3", "volume mm3"),
    ("diameter_mm", "diameter mm"),
    ("peak_hu", "peak HU"),
)


def captures(measured: Measured, identity: Identity, change: Change | None) -> list[Any]:
    """The projections, then the table in as many pictures as it needs."""
    views = [p for p in pictures(measured.scan, measured.findings, measured.measurement) if p.name.startswith("mip")]
    drawn = [(_view(measured, view), _orientation(measured, view)) for view in views]
    lines = _table(measured, change)
    pages = [(_page(lines[at : at + ROWS_EACH]), None) for at in range(0, len(lines), ROWS_EACH)]
    return [_capture(measured, identity, number, *made) for number, made in enumerate([*drawn, *pages], start=1)]


def _orientation(measured: Measured, view: Picture) -> tuple[str, str]:
    """Where the patient's side lies to which a row, and a column, of the picture runs."""
    affine = measured.scan.affine
    down = affine[:3, 1] if view.name != "mip-coronal" else affine[:3, 0] * (-1 if affine[2, 0] > 0 else 1)
    row, column = (("LR", "PA", "HF")[int(np.abs(way).argmax())][int(way[np.abs(way).argmax()] < 0)] for way in (affine[:3, 2], down))
    return row, column


def _capture(measured: Measured, identity: Identity, number: int, picture: NDArray[Any], orientation: tuple[str, str] | None) -> Any:
    from highdicom.sc import SCImage

    made = SCImage.from_ref_dataset(
        ref_dataset=measured.sources.first,
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=orientation or ("L", "F"),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        **identity.arguments("picture", number),
    )
    made.Laterality, made.BurnedInAnnotation = "", "NO"  # of our own pictures no word names a person
    made.DerivationDescription = f"{MAKER} {__version__}, {PURPOSE}. {NOT_A_DEVICE}"
    made.ImageType = ["DERIVED", "SECONDARY"]
    if orientation is None:
        made.PatientOrientation = []  # a table lies nowhere
    return made


def _view(measured: Measured, view: Picture) -> NDArray[Any]:
    """A projection with the outline and number of each deposit."""
    from PIL import Image, ImageDraw

    image = Image.open(io.BytesIO(view.png)).convert("RGB")
    draw = ImageDraw.Draw(image)
    axis = 1 if view.name == "mip-coronal" else 0
    upward = axis == 1 and measured.scan.affine[2, 0] > 0
    shape = measured.scan.hu.shape
    rows, columns = shape[0] if axis == 1 else shape[1], shape[2]
    y_scale, x_scale = view.height / rows, view.width / columns
    for candidate, (number, _, _) in zip(measured.findings.candidates, view.marks, strict=True):
        at = np.unravel_index(candidate.flat, shape)
        mask = np.zeros((rows, columns), bool)
        mask[at[0] if axis == 1 else at[1], at[2]] = True
        right, top = 0.0, float(view.height)
        for edge in outline(mask):
            ends = [(x * x_scale, view.height - y * y_scale if upward else y * y_scale) for x, y in edge]
            draw.line(ends, fill=LINE, width=1)
            right, top = max(right, ends[0][0]), min(top, ends[0][1])
        draw.text((min(right + 4, view.width - 24), max(top - SIZE, 0)), number, fill=LINE, font=_font())
    draw.text((6, view.height - SIZE - 6), f"{view.caption}; {MAKER} {__version__}, {PURPOSE}", fill=WORDS, font=_font())
    return np.asarray(image)


def _page(lines: list[str]) -> NDArray[Any]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, (len(lines) + 2) * (SIZE + 7)), (0, 0, 0))
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(lines):
        for x, cell in zip(TABS, text.split("\t"), strict=False):
            draw.text((x, 8 + row * (SIZE + 7)), cell, fill=WORDS, font=_font())
    return np.asarray(image)


@cache
def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(SIZE)


def _table(measured: Measured, change: Change | None) -> list[str]:
    """The deposits line by line, cells between tabs; with a change, each one's verdict and change of mass below."""
    m = measured.measurement
    head = [f"{MAKER} {__version__}, {PURPOSE}", NOT_A_DEVICE[:110], ""]
    lines = ["\t".join(("", "name", *(title for _, title in COLUMNS)))]
    for d, track in zip(m.deposits, measured.tracks, strict=True):
        lines.append("\t".join((str(d.id), (d.site or track.name.partition(" of ")[0])[:26], *_cells(d))))
    lines.append("\t".join(("", f"total ({m.total.deposits})", *_cells(m.total))))
    if change is not None:
        lines += ["", f"change since baseline, all deposits: {change.total.verdict}"]
        for pair in change.deposits:
            moved = f", mass {pair.mass_mg.change:+.3g} mg" if isinstance(pair.mass_mg, Difference) else ""
            lines.append(f"{from_to(pair)}: {pair.verdict}{moved}")
    return head + lines


def _cells(row: DepositMeasure | SiteMeasure) -> list[str]:
    values = [getattr(row, name, None) for name, _ in COLUMNS]
    return [f"{v.value:.4g}" if isinstance(v, Measure) else "-" for v in values]
