// The viewer that is always there: slices drawn by the server, outlines on top.

import { _, el, later, svg } from "./dom.js";
import { json, request } from "./ask_server.js";

const WINDOWS = [["Calcium", 800, 250], ["Soft tissue", 400, 40], ["Bone", 2000, 500], ["Lung", 1500, -600]];

/** Show a scan slice by slice. The position is a slice; millimetres come from the spacing the service tells. */
export function openSlices(host, scan, title) {
  const [slices, rows, columns] = scan.shape;
  const [dz, dy, dx] = scan.spacing_mm.map((s) => s ?? 1);
  let k = Math.floor(slices / 2);
  let chosen = 0;
  let window_ = WINDOWS[0];
  const moved = [];
  const picked = [];
  const image = el("img", { alt: "" });
  const lines = svg("svg", { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", class: "outlines" });
  const frame = el("div", { class: "frame" }, image, lines);
  frame.style.aspectRatio = `${columns * dx} / ${rows * dy}`;
  const slider = el("input", { type: "range", min: 0, max: slices - 1, value: k, "aria-label": _("{0}: slice", title) });
  const said = el("output", {}, "");
  const choice = el("select", { "aria-label": _("{0}: grey scale", title) }, ...WINDOWS.map(([name], n) => el("option", { value: n }, _(name))));
  host.replaceChildren(el("div", { class: "viewer" }, el("h4", {}, title), frame, el("div", { class: "bar-line" }, slider, said, choice)));

  let pending = 0;
  const draw = later(async () => {
    const mine = (pending += 1);
    const at = `api/v1/scans/${scan.id}/slices/${k}`;
    const [picture, marks] = await Promise.all([request(`${at}.png?window=${window_[1]}&level=${window_[2]}`).then((r) => r.blob()), json(`${at}.json`)]).catch(() => []);
    if (mine !== pending || !picture) return;
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(picture);
    image.alt = _("Slice {0} of {1}, {2} deposits outlined", k + 1, slices, marks.deposits.length);
    lines.replaceChildren(...marks.deposits.map((d) => outline(d)));
  }, 40);
  const outline = (d) => {
    const path = svg("path", { d: d.path, class: d.deposit === chosen ? "now" : "" });
    path.addEventListener("click", () => picked.forEach((run) => run(d.deposit)));
    return path;
  };
  const go = (to) => {
    k = Math.min(slices - 1, Math.max(0, Math.round(to)));
    slider.value = k;
    said.textContent = `${k + 1} / ${slices}`;
    draw();
  };
  slider.addEventListener("input", () => {
    const before = k;
    go(Number(slider.value));
    moved.forEach((run) => run([0, 0, (k - before) * dz]));
  });
  frame.addEventListener("wheel", (event) => {
    event.preventDefault();
    const before = k;
    go(k + Math.sign(event.deltaY));
    moved.forEach((run) => run([0, 0, (k - before) * dz]));
  }, { passive: false });
  choice.addEventListener("change", () => { window_ = WINDOWS[Number(choice.value)]; draw(); });
  go(k);
  return {
    kind: "slices",
    show: (_mm, slice, deposit) => { chosen = deposit; go(slice); },
    shift: (mm) => go(k + mm[2] / dz),
    onMove: (run) => moved.push(run),
    onPick: (run) => picked.push(run),
  };
}
