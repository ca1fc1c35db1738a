// The one place that knows the viewer library. Without it, or without WebGL2, slices drawn by the server take its place.

import { _, el } from "./dom.js";
import { request } from "./ask_server.js";
import { openSlices } from "./slices.js";

const LIBRARY = "./vendor/niivue.js";
let loading = null;

/** Open a scan in `host`. Hands back show(mm, slice, deposit), shift(mm), onMove(run), onPick(run). */
export async function openViewer(host, scan, title) {
  const library = hasWebGl() ? await load() : null;
  if (!library) {
    const made = openSlices(host, scan, title);
    if (!hasWebGl()) return made;
    host.append(el("p", { class: "small" }, _("Slices are drawn by the service. `make page`, run once where Node is installed, adds the three-plane viewer.")));
    return made;
  }
  try {
    return await openVolume(library, host, scan, title);
  } catch {
    return openSlices(host, scan, title);
  }
}

function hasWebGl() {
  if (new URLSearchParams(location.search).has("slices")) return false;
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

function load() {
  loading ??= import(LIBRARY).catch(() => null);
  return loading;
}

async function fetched(path) {
  return URL.createObjectURL(await (await request(path)).blob());
}

async function openVolume(library, host, scan, title) {
  const canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": _("{0}: three planes. Drag to move; the table lists every deposit.", title) });
  host.replaceChildren(el("div", { class: "viewer" }, el("h4", {}, title), canvas));
  const view = new library.Niivue({ show3Dcrosshair: false, backColor: [0, 0, 0, 1], crosshairColor: [1, 0.75, 0, 0.6], crosshairWidth: 1, logLevel: "error", dragAndDropEnabled: false });
  await view.attachToCanvas(canvas);
  const at = `api/v1/scans/${scan.id}`;
  const [ct, marks] = await Promise.all([fetched(`${at}/preview.nii.gz`), fetched(`${at}/labels_preview.nii.gz`)]);
  await view.loadVolumes([{ url: ct, name: "ct.nii.gz", cal_min: -150, cal_max: 650 }, { url: marks, name: "deposits.nii.gz", opacity: 0.6 }]);
  const tint = [0, 255, 180, 0];
  view.volumes[1].setColormapLabel({ R: [0, 255], G: [0, 176], B: [0, 0], A: tint.slice(0, 2), I: [0, 1], labels: ["", _("deposit")] });
  view.updateGLVolume();
  view.setSliceType(view.sliceTypeMultiplanar);
  const moved = [];
  let here_ = null;
  let quiet = false;
  view.onLocationChange = (place) => {
    const mm = [-place.mm[0], -place.mm[1], place.mm[2]];
    if (here_ && !quiet) moved.forEach((run) => run(mm.map((v, n) => v - here_[n])));
    here_ = mm;
  };
  const to = (mm) => {
    quiet = true;
    view.scene.crosshairPos = view.mm2frac([-mm[0], -mm[1], mm[2]]);
    view.createOnLocationChange?.();
    view.drawScene();
    here_ = mm;
    quiet = false;
  };
  return { kind: "volume", show: (mm) => to(mm), shift: (mm) => here_ && to(here_.map((v, n) => v + mm[n])), onMove: (run) => moved.push(run), onPick: () => undefined };
}
