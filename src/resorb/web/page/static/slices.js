// The viewer that is always there: slices drawn by the server, outlines on top. Several panes move as one.

import { _, el, later, svg } from "./dom.js";
import { json, request } from "./ask_server.js";

const WINDOWS = [["Calcium", 800, 250], ["Soft tissue", 400, 40], ["Bone", 2000, 500], ["Lung", 1500, -600]];

/** Show slices of `panes` ({title, at}) on one grid; `at` is the address of their slices. Hands back show(slice, key), onPick(run). */
export function openSlices(host, grid, panes) {
  const [slices] = grid.shape;
  let k = Math.floor(slices / 2);
  let chosen = 0;
  let grey = WINDOWS[0];
  const picked = [];
  const frames = panes.map((pane) => frameOf(pane, grid, panes.length > 1, (key) => picked.forEach((run) => run(key))));
  const slider = el("input", { type: "range", min: 0, max: slices - 1, value: k, "aria-label": _("Slice") });
  const said = el("output", {}, "");
  const choice = el("select", { "aria-label": _("Grey scale") }, ...WINDOWS.map(([name], n) => el("option", { value: n }, _(name))));
  host.replaceChildren(el("div", { class: "viewer" }, el("div", { class: panes.length > 1 ? "pair" : "" }, ...frames.map((f) => f.figure)), el("div", { class: "bar-line" }, slider, said, choice)));

  const draw = later(() => frames.forEach((f) => f.draw(k, grey, chosen)), 40);
  const go = (to) => {
    k = Math.min(slices - 1, Math.max(0, Math.round(to)));
    slider.value = k;
    said.textContent = `${k + 1} / ${slices}`;
    draw();
  };
  slider.addEventListener("input", () => go(Number(slider.value)));
  for (const f of frames) f.figure.addEventListener("wheel", (event) => { event.preventDefault(); go(k + Math.sign(event.deltaY)); }, { passive: false });
  choice.addEventListener("change", () => { grey = WINDOWS[Number(choice.value)]; draw(); });
  go(k);
  return {
    kind: "slices",
    show: (_mm, slice, key) => { chosen = key; go(slice); },
    onPick: (run) => picked.push(run),
  };
}

/** One picture with its outlines; only the newest one asked for is shown. */
function frameOf({ title, at }, grid, shared, pick) {
  const [slices, rows, columns] = grid.shape;
  const [, dy, dx] = grid.spacing_mm.map((s) => s ?? 1);
  const image = el("img", { alt: "" });
  const lines = svg("svg", { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", class: "outlines" });
  const frame = el("div", { class: "frame" }, image, lines);
  frame.style.aspectRatio = `${columns * dx} / ${rows * dy}`;
  frame.style.width = `min(100%, calc(${shared ? 48 : 64}vh * ${(columns * dx) / (rows * dy)}))`;
  const keyOf = (d) => (d.row === undefined || d.row === null ? d.deposit : d.row + 1);
  let newest = 0;
  const draw = async (k, [, width, centre], chosen) => {
    const mine = (newest += 1);
    const asked = [request(`${at}/${k}.png?window=${width}&level=${centre}`).then((r) => r.blob()), json(`${at}/${k}.json`)];
    const [picture, marks] = await Promise.all(asked).catch(() => []);
    if (mine !== newest || !picture) return;
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(picture);
    image.alt = _("{0}: slice {1} of {2}, deposits outlined: {3}", title, k + 1, slices, marks.deposits.length);
    lines.replaceChildren(...marks.deposits.map((d) => {
      const path = svg("path", { d: d.path, class: keyOf(d) === chosen ? "now" : "" });
      path.addEventListener("click", () => pick(keyOf(d)));
      return path;
    }));
  };
  return { figure: el("figure", {}, el("figcaption", {}, title), frame), draw };
}
