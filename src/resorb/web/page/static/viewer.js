// The one place that knows the viewer library. Without it, or without WebGL2, slices drawn by the server take its place.

import { _, el } from "./dom.js";
import { request } from "./ask_server.js";
import { openSlices } from "./slices.js";

const LIBRARY = "./vendor/niivue.js";
let loading = null;

/** Open a scan in `host`. Hands back show(mm, slice, deposit) and onPick(run). */
export async function openViewer(host, scan, title) {
  const library = hasWebGl() ? await load() : null;
  if (!library) {
    const made = openSlices(host, scan, [{ title, at: `api/v1/scans/${scan.id}/slices` }]);
    if (!hasWebGl()) return made;
    host.append(el("p", { class: "small" }, _("Slices are drawn by the service. `make page`, run once where Node is installed, adds the three-plane viewer.")));
    return made;
  }
  const planes = [_("Three planes"), (place) => openVolume(library, place, scan, title)];
  const slices = [_("Slices"), (place) => openSlices(place, scan, [{ title, at: `api/v1/scans/${scan.id}/slices` }])];
  return switching(host, drawsInSoftware() ? [slices, planes] : [planes, slices]);
}

/** Whether this machine has no graphics chip for the browser to use: volumes then take long to draw. */
function drawsInSoftware() {
  const context = document.createElement("canvas").getContext("webgl2");
  const told = context?.getExtension("WEBGL_debug_renderer_info");
  return !told || /swiftshader|llvmpipe|software|basic render/i.test(context.getParameter(told.UNMASKED_RENDERER_WEBGL));
}

/** One viewer at a time, and buttons to change it; where the first cannot be opened, the next one is. */
async function switching(host, views) {
  const place = el("div");
  const picked = [];
  let now = null;
  let last = null;
  const buttons = views.map(([name], n) => el("button", { type: "button", "aria-pressed": "false", onclick: () => open(n) }, name));
  const open = async (n) => {
    try {
      now = await views[n][1](place);
    } catch (error) {
      buttons[n].disabled = true;
      const other = buttons.findIndex((b) => !b.disabled);
      if (other < 0) throw error;
      await open(other);
      return;
    }
    buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(k === n)));
    picked.forEach((run) => now.onPick(run));
    if (last) now.show(...last);
  };
  host.replaceChildren(el("p", { class: "three views", role: "group", "aria-label": _("View") }, ...buttons), place);
  await open(0);
  return { show: (...what) => { last = what; now.show(...what); }, onPick: (run) => { picked.push(run); now.onPick(run); } };
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
  host.replaceChildren(el("div", { class: "viewer" }, el("h4", {}, title), el("div", { class: "volume" }, canvas)));
  const view = new library.Niivue({ show3Dcrosshair: false, backColor: [0, 0, 0, 1], crosshairColor: [1, 0.75, 0, 0.6], crosshairWidth: 1, logLevel: "error", dragAndDropEnabled: false });
  await view.attachToCanvas(canvas);
  const at = `api/v1/scans/${scan.id}`;
  const [ct, marks] = await Promise.all([fetched(`${at}/preview.nii.gz`), fetched(`${at}/labels_preview.nii.gz`)]);
  await view.loadVolumes([{ url: ct, name: "ct.nii.gz", cal_min: -150, cal_max: 650 }, { url: marks, name: "deposits.nii.gz", opacity: 0.6 }]);
  const tint = [0, 255, 180, 0];
  view.volumes[1].setColormapLabel({ R: [0, 255], G: [0, 176], B: [0, 0], A: tint.slice(0, 2), I: [0, 1], labels: ["", _("deposit")] });
  view.updateGLVolume();
  view.opts.multiplanarShowRender = drawsInSoftware() ? 0 : 1; // the three-dimensional picture only where it is quick
  view.setSliceType(view.sliceTypeMultiplanar);
  const to = (mm) => {
    view.scene.crosshairPos = view.mm2frac([-mm[0], -mm[1], mm[2]]);
    view.drawScene();
  };
  return { kind: "volume", show: (mm) => to(mm), onPick: () => undefined };
}

/** Two scans on one grid, side by side and locked; each on its own where they could not be laid on each other. */
export async function openPair(host, first, second, comparison) {
  const at = `api/v1/comparisons/${comparison}/slices`;
  const laid = await request(`${at}/followup/0.json`).then(() => true, () => false);
  if (laid) return openSlices(host, first, [{ title: _("Before"), at: `${at}/baseline` }, { title: _("After"), at: `${at}/followup` }]);
  const [left, right] = [el("div"), el("div")];
  host.replaceChildren(el("div", { class: "pair" }, left, right));
  const before = openSlices(left, first, [{ title: _("Before"), at: `api/v1/scans/${first.id}/slices` }]);
  const after = openSlices(right, second, [{ title: _("After"), at: `api/v1/scans/${second.id}/slices` }]);
  return { kind: "apart", show: (_mm, slice, key, slice2) => { before.show(null, slice, key); after.show(null, slice2, key); }, onPick: () => undefined };
}
