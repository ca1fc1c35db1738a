"""`find`: what on this scan may be a deposit, and what is dense for another reason."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct import anatomy
from resorb.ct.acquisition import is_sharp
from resorb.ct.agatston import DEFAULT, DepositTable, table_of
from resorb.ct.anatomy import Contrast
from resorb.ct.beside import lies_apart
from resorb.ct.coarse import BLOCK, BODY_HU, Coarse, look
from resorb.ct.components import join_in_space, runs_of
from resorb.ct.ends import goes_on_beyond, touches_an_end
from resorb.ct.findings import Candidate, Findings
from resorb.ct.fragments import join_specks
from resorb.ct.labels import Labels
from resorb.ct.noise import Noise, measure_noise
from resorb.ct.peaks import is_a_peak, rising
from resorb.ct.pixels import WORKERS
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan
from resorb.ct.sites import settle
from resorb.ct.standing import stands_out
from resorb.terms.measurement import Excluded

CUT_MM3 = 300.0
MOST_CANDIDATES = 2000
CONTRAST_CHOICES = (None, "none", "given")

Ints = NDArray[Any]


@dataclass(frozen=True)
class _Search:
    """What every step of the search needs: the scan, its coarse view, the dense voxels and their regions, the cells that stand out."""

    scan: Scan
    coarse: Coarse
    noise: Noise
    contrast: Contrast
    labels: Labels | None
    table: DepositTable
    bone: Ints
    cell_volume: float
    standing: NDArray[np.bool_]


def find(scan: Scan, labels: Labels | None = None, *, contrast: str | None = None) -> Findings:
    """Every candidate deposit, and what is excluded with the rule that excludes it.

    labels : where to look (see `resorb.ct.labels`); without them, everywhere outside the skeleton.
    contrast : "none" or "given" where the user knows; otherwise judged from header and scan.

    A region counts as found when it stands out of its surroundings further than noise does in one quiet scan of fifty.
    Where contrast is seen, nothing dense is taken for calcium.
    """
    if contrast not in CONTRAST_CHOICES:
        raise refuse("contrast", repr(contrast), "'none', 'given' or nothing")
    if labels is not None and labels.index.shape != scan.hu.shape:
        raise refuse(labels.source, f"labels of shape {labels.index.shape}", f"{scan.hu.shape} as the scan")
    search = _begin(scan, labels, contrast)
    kinds, bone = _sort(search)
    dense = join_specks(_dense_candidates(search, kinds), scan, DEFAULT.threshold_hu, search.noise.voxel_hu)
    candidates = [*dense, *_faint_candidates(search, kinds, bone)]
    if len(candidates) > MOST_CANDIDATES:
        raise refuse("the scan", f"{len(candidates)} separate dense regions", f"at most {MOST_CANDIDATES}", "give labels or a box")
    settled, outside = settle(candidates, scan, labels, search.contrast)
    excluded = [*_excluded(search, kinds), *outside]
    if search.contrast.seen:
        settled, extra = [], _as_excluded(settled, scan, "contrast or calcium", search.contrast.says)
        excluded += extra
    ordered = tuple(sorted(settled, key=lambda c: int(c.flat[0])))
    return Findings(
        ordered,
        tuple(excluded),
        search.contrast.says,
        search.contrast.known,
        search.contrast.seen,
        search.noise,
        search.coarse,
        _foreign(search, kinds),
        labels,
    )


def _begin(scan: Scan, labels: Labels | None, told: str | None) -> _Search:
    with ThreadPoolExecutor(1) as aside:
        counting = aside.submit(_dense, scan, labels)
        noise = measure_noise(scan)
        coarse = look(scan, noise)
        bone, table = counting.result()
    judged = anatomy.contrast_of(scan, coarse, labels, told)
    spacing = np.nan_to_num(scan.spacing, nan=3.0)
    peaks = rising(coarse, spacing * coarse.factor)
    standing = coarse.flags(np.concatenate([coarse.standing_out, peaks]))
    return _Search(scan, coarse, noise, judged, labels, table, bone, float(np.prod(spacing)), standing)


def _dense(scan: Scan, labels: Labels | None) -> tuple[Ints, DepositTable]:
    """Dense voxels in labelled bone, and the table of the regions that the others form."""
    flat, bone = _at_least(scan.hu, DEFAULT.threshold_hu), np.zeros(0, np.int64)
    if labels is not None and (wanted := labels.of_role("bone")):
        in_bone = np.isin(labels.index.reshape(-1)[flat], wanted)
        bone, flat = flat[in_bone], flat[~in_bone]
    spacing = float(np.nan_to_num(scan.spacing[0], nan=3.0))
    return bone, table_of(scan.hu, flat, scan.pixel_mm2, spacing, DEFAULT)


def _at_least(hu: NDArray[Any], threshold_hu: float) -> Ints:
    """Flat indices of the voxels at or above a threshold, in order; slice by slice, so that no mask of the volume is kept."""
    least, size = hu.dtype.type(threshold_hu), hu[0].size
    with ThreadPoolExecutor(WORKERS) as pool:
        return np.concatenate(list(pool.map(lambda k: np.flatnonzero(hu[k] >= least) + k * size, range(len(hu)))))


def _sort(search: _Search) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """What each dense region is taken for ('' : a candidate; otherwise a key of `_RULES`), and the cells that hold skeleton, if any do."""
    table, scan = search.table, search.scan
    kinds = np.full(len(table), "", "U32")
    volume = table.voxels * search.cell_volume
    kinds[~stands_out(table, scan, search.coarse, search.noise, search.standing)] = "noise"
    places = np.stack([table.low, table.high], 1) // np.array(search.coarse.factor)
    places = np.minimum(places, np.array(search.coarse.cells.shape) - 1)
    blocks = places // BLOCK
    kinds[(kinds == "") & ~search.coarse.body[tuple(((blocks[:, 0] + blocks[:, 1]) // 2).T)]] = "outside the body"
    kinds[volume >= anatomy.SKELETON_MM3] = "skeleton"
    kinds[(table.peak_hu >= anatomy.METAL_HU) & (kinds != "skeleton")] = "metal"
    if search.labels is None and not scan.single_slice:
        cut = touches_an_end(table, len(scan.hu)) & (volume >= CUT_MM3) | goes_on_beyond(table, len(scan.hu))
        kinds[(kinds == "") & cut] = "cut by the end of the scan"
    open_ones, bone = np.flatnonzero(kinds == ""), _bone_cells(search, kinds)
    if bone is not None:
        cell = np.array(search.coarse.factor) * np.nan_to_num(scan.spacing, nan=3.0)
        close = anatomy.near(places[open_ones], bone, np.ceil(anatomy.FRAGMENT_MM / cell - 0.5).astype(int))
        beside = open_ones[close]
        apart = [lies_apart(flat, scan, search.coarse, bone, DEFAULT.threshold_hu) for flat in _voxels_of(table, beside)]
        kinds[beside[~np.array(apart, bool)]] = "next to the skeleton"
    return kinds, bone


_RULES = {
    "skeleton": "a connected region above 130 HU of 3 cm3 or more, or labelled bone",
    "next to the skeleton": "within 5 mm of the skeleton, or beside it and long or above 0.3 cm3: taken for a piece of bone",
    "outside the body": "not inside the body: the table, a line, or the edge of the field",
    "cut by the end of the scan": "0.3 cm3 or more, or half as wide as anywhere, in the first or last slice: bone, or not whole",
    "metal": "reaches 2500 HU: metal, or tooth enamel",
    "noise": "does not stand out of its surroundings further than this scan's noise does, or is mottled tissue of nearly 130 HU",
}


def _bone_cells(search: _Search, kinds: NDArray[Any]) -> NDArray[np.bool_] | None:
    """The cells that hold skeleton; none where there is none."""
    table, coarse, runs = search.table, search.coarse, search.table.runs
    in_bone = (kinds == "skeleton")[table.deposit_of_run]
    if not in_bone.any() and not len(search.bone):
        return None
    return coarse.flags(np.concatenate([_crossed(search, in_bone), coarse.cell_of(search.bone, runs.shape)]))


def _crossed(search: _Search, these: NDArray[np.bool_]) -> Ints:
    """Flat indices of the cells that these runs of dense voxels lie in, from end to end; a cell may come more than once."""
    runs = search.table.runs
    first, last = (search.coarse.cell_of(ends[these], runs.shape) for ends in (runs.first, runs.last))
    crossed = last - first + 1
    begin = np.cumsum(crossed) - crossed
    return np.asarray(np.repeat(first - begin, crossed) + np.arange(int(crossed.sum())))


def _dense_candidates(search: _Search, kinds: NDArray[Any]) -> list[Candidate]:
    """One candidate for each region that no rule explains."""
    table = search.table
    wanted = np.flatnonzero(kinds == "")
    if not len(wanted):
        return []
    metal = table.centroid[kinds == "metal"] * np.nan_to_num(search.scan.spacing, nan=3.0)
    out = []
    for i, flat in zip(wanted, _voxels_of(table, wanted), strict=True):
        here = table.centroid[i] * np.nan_to_num(search.scan.spacing, nan=3.0)
        streaks = len(metal) and float(np.linalg.norm(metal - here, axis=1).min()) < 30.0
        notes = ("metal within 30 mm: streaks may add to it",) if streaks else ()
        out.append(Candidate(flat, "low" if streaks else "moderate", "reaches 130 HU", notes=notes))
    return out


def _voxels_of(table: DepositTable, wanted: Ints) -> Iterator[Ints]:
    """Sorted flat indices of the voxels of each of these regions."""
    run_order = np.argsort(table.deposit_of_run, kind="stable")
    edges = np.searchsorted(table.deposit_of_run[run_order], np.append(wanted, wanted + 1))
    for n in range(len(wanted)):
        runs = np.sort(run_order[edges[n] : edges[n + len(wanted)]])
        yield np.concatenate([np.arange(a, b + 1) for a, b in zip(table.runs.first[runs], table.runs.last[runs], strict=True)])


def _faint_candidates(search: _Search, kinds: NDArray[Any], bone: NDArray[np.bool_] | None) -> list[Candidate]:
    """Regions of the coarse view that stand out but are not joined to anything at or above 130 HU."""
    coarse, table, scan = search.coarse, search.table, search.scan
    cells = np.flatnonzero(search.standing)
    if not len(cells) or search.contrast.seen or is_sharp(scan.acquisition.kernel) or scan.single_slice:
        return []
    runs = runs_of(cells, coarse.cells.shape)
    count, of_run = join_in_space(runs)
    group = np.repeat(of_run, runs.size)
    dense = coarse.flags(_crossed(search, ((kinds != "noise") & (kinds != "skeleton"))[table.deposit_of_run]))
    dense = dense if bone is None else dense | bone
    dense[1:-1] |= dense[:-2] | dense[2:]  # a cell is smoothed with those beside it
    taken = np.zeros(count, bool)
    taken[group[dense.reshape(-1)[cells] | (coarse.cells.reshape(-1)[cells] < BODY_HU)]] = True
    free = ~taken[group]
    order = np.argsort(group[free], kind="stable")
    parts = np.split(cells[free][order], np.flatnonzero(np.diff(group[free][order])) + 1)
    return [c for part in parts if len(part) and (c := _faint(search, np.sort(part), bone))]


def _faint(search: _Search, cells: Ints, bone: NDArray[np.bool_] | None) -> Candidate | None:
    """A faint candidate from its cells; none if it is next to bone, outside the body, no peak, or not tissue around."""
    coarse, scan = search.coarse, search.scan
    at = np.stack(np.unravel_index(cells, coarse.cells.shape), 1)
    block = tuple((at.mean(0).astype(int) // BLOCK).T)
    if not anatomy.TISSUE_LOW < coarse.level[block] < anatomy.TISSUE_HIGH or not coarse.body[block]:
        return None
    cell = np.array(coarse.factor) * scan.spacing
    if not is_a_peak(coarse, cells, cell):
        return None
    reach = np.ceil(anatomy.FRAGMENT_MM / cell - 0.5).astype(int)
    if bone is not None and anatomy.near(np.stack([at.min(0), at.max(0)])[None], bone, reach)[0]:
        return None
    factor = np.array(coarse.factor)
    spread = np.stack(np.meshgrid(*(np.arange(f) for f in factor), indexing="ij"), -1).reshape(-1, 3)
    voxels = (at[:, None] * factor + spread[None]).reshape(-1, 3)
    flat = np.sort(np.ravel_multi_index(tuple(voxels.T), scan.hu.shape))
    return Candidate(flat, "low", "stands out of its surroundings but never reaches 130 HU in a region of its own", faint=True)


def _foreign(search: _Search, kinds: NDArray[Any]) -> Ints:
    """The dense voxels that belong to something else: no part of a deposit, nor of its background."""
    table = search.table
    explained = (kinds != "") & (kinds != "noise")
    own = np.repeat(explained[table.deposit_of_run], table.runs.size)
    return np.sort(np.concatenate([table.flat[own], search.bone])) if len(search.bone) else table.flat[own]


def _excluded(search: _Search, kinds: NDArray[Any]) -> list[Excluded]:
    """One line for each reason, with how many regions it holds."""
    table, out = search.table, []
    for kind, rule in _RULES.items():
        these = np.flatnonzero(kinds == kind)
        if len(these):
            main = these[table.voxels[these].argmax()]
            x, y, z = (float(v) for v in search.scan.to_lps(table.centroid[main][None])[0])
            volume = None if search.scan.single_slice else float(table.voxels[these].sum() * search.scan.voxel_mm3)
            filled = kind == "skeleton" and search.contrast.seen
            out.append(
                Excluded(
                    "skeleton or filled with contrast" if filled else kind,
                    rule,
                    len(these),
                    volume,
                    float(table.peak_hu[these].max()),
                    (x, y, z),
                )
            )
    return out


def _as_excluded(candidates: list[Candidate], scan: Scan, taken_for: str, why: str) -> list[Excluded]:
    from resorb.ct.sites import exclude

    return [exclude(c, scan, taken_for, why) for c in candidates if not c.faint]
