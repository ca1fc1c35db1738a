// Where the deposit is: the body to point at, a list to type into, and the places near the one chosen.

import { $, $$, _, el, named } from "./dom.js";
import { combobox } from "./combobox.js";
import { change, known, say } from "./case.js";

const MOST_NEAR = 14;
let sites = [];
let byId = new Map();
let inside = new Map();
let tissues = [];

/** Take the list of sites and bring the picture to life. */
export function startBody(words) {
  sites = words.fields.site;
  tissues = words.tissues;
  byId = new Map(sites.map((s) => [s.id, s]));
  inside = new Map(sites.map((s) => [s.id, new Set([s.id])]));
  for (const site of sites) for (const wider of around(site.id)) inside.get(wider)?.add(site.id);
  combobox($('[data-combo="site"]'), _("Type a place, or point at the body"), () => sites, (site) => choose(site.id));
  const regions = $$(".region");
  regions[0].setAttribute("tabindex", "0");
  regions.forEach((region, n) => {
    region.addEventListener("click", () => choose(region.dataset.site));
    region.addEventListener("keydown", (event) => steer(event, regions, n));
  });
}

/** Every place that a site lies in, itself included. */
function around(id, found = new Set()) {
  if (found.has(id)) return found;
  found.add(id);
  for (const up of byId.get(id)?.up ?? []) around(up, found);
  return found;
}

function steer(event, regions, n) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step) {
    event.preventDefault();
    const next = regions[(n + step + regions.length) % regions.length];
    regions.forEach((r) => r.setAttribute("tabindex", r === next ? "0" : "-1"));
    next.focus();
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    choose(regions[n].dataset.site);
  }
}

/** Choose a place; a narrower one takes the place of the wider one it lies in, and choosing again takes it back. */
function choose(id) {
  const chosen = { ...(known.site ?? {}) };
  if (chosen[id]) return say("site", id, null);
  for (const other of Object.keys(chosen)) if (around(id).has(other) || around(other).has(id)) delete chosen[other];
  const wider = Object.keys(chosen).filter((o) => !tissues.includes(o));
  if (!tissues.includes(id)) for (const other of wider) if (!shares(id, other)) delete chosen[other];
  return change("site", { ...chosen, [id]: "present" });
}

/** Two places of one region may stand together (a tendon and a bursa of the shoulder); a shoulder and a kidney are two cases. */
function shares(a, b) {
  return [...around(a)].some((up) => around(b).has(up) && !tissues.includes(up));
}

/** Show the places of the case. */
export function drawBody() {
  const chosen = Object.keys(known.site ?? {});
  const held = new Set(chosen.flatMap((id) => [...around(id)]));
  const regions = $$(".region").filter((r) => held.has(r.dataset.site)).map((r) => r.dataset.site);
  const nearest = regions.filter((r) => !regions.some((other) => other !== r && around(other).has(r)));
  for (const region of $$(".region")) region.setAttribute("aria-pressed", String(nearest.includes(region.dataset.site)));
  $("#site-chosen").replaceChildren(...chosen.map((id) =>
    el("button", { type: "button", class: "chip on", onclick: () => say("site", id, null), "aria-label": _("Remove {0}", byId.get(id)?.name ?? id) },
      named(byId.get(id) ?? { name: id }), el("span", { "aria-hidden": "true", class: "x" }, "×"))));
  if (known.comparison) {
    $("#site-chosen").append(el("button", { type: "button", class: "chip on", onclick: () => change("comparison", undefined), "aria-label": _("Leave out the two scans") },
      _("two scans compared"), el("span", { "aria-hidden": "true", class: "x" }, "×")));
  }
  $("#site-near").replaceChildren(...near(chosen, held));
}

function near(chosen, held) {
  const places = chosen.length ? [...new Set(chosen.flatMap((id) => [...(inside.get(id) ?? [])]))] : tissues;
  const left = places.filter((id) => !held.has(id) && byId.has(id));
  if (!left.length) return [];
  const chips = left.map((id) => el("button", { type: "button", class: "chip", onclick: () => choose(id) }, named(byId.get(id))));
  const title = el("p", { class: "small" }, chosen.length ? _("More exactly?") : _("Or a tissue found all over the body:"));
  const most = chips.length > MOST_NEAR + 3 ? MOST_NEAR : chips.length;
  const more = chips.length > most ? el("details", {}, el("summary", {}, _("{0} more places", chips.length - most)), ...chips.slice(most)) : null;
  return [title, ...chips.slice(0, most), ...(more ? [more] : [])];
}
