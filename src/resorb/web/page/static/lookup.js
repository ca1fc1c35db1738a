// Look things up: the kinds side by side, one kind as a page, questions.

import { $, $$, _, el } from "./dom.js";
import { Refused, here, text } from "./ask_server.js";
import { makeOutlook } from "./answer.js";

let table = null;
let place = 0;

$("#ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const question = $("#question").value.trim();
  if (!question) return;
  const host = $("#asked");
  host.setAttribute("aria-busy", "true");
  const again = () => $("#ask").requestSubmit();
  try {
    host.innerHTML = await text(here("page/ask"), { method: "POST", headers: { "Content-Type": "text/plain" }, body: question }, again);
  } catch (error) {
    failed(host, error, again);
  }
  host.setAttribute("aria-busy", "false");
});

export async function showLookup(hash) {
  const host = $("#lookup");
  if (hash.startsWith("#/kind/")) return showKind(host, decodeURIComponent(hash.slice(7)));
  $("#ask").hidden = $("#asked").hidden = $("#view-lookup .intro").hidden = false;
  if (!table) {
    const made = el("div");
    try {
      made.innerHTML = await text(here("page/table"), {}, () => showLookup(hash));
    } catch (error) {
      return failed(host, error, () => showLookup(hash));
    }
    table = made;
    lively(table);
  }
  host.replaceChildren(table);
  window.scrollTo(0, place);
  return undefined;
}

async function showKind(host, id) {
  place = window.scrollY;
  $("#ask").hidden = $("#asked").hidden = $("#view-lookup .intro").hidden = true;
  try {
    const made = el("div");
    made.innerHTML = await text(here(`page/kinds/${encodeURIComponent(id)}`), {}, () => showKind(host, id));
    $$("[data-outlook]", made).forEach(makeOutlook);
    host.replaceChildren(made);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) return failed(host, error, () => showKind(host, id));
    host.replaceChildren(el("p", {}, _("There is no kind of this name.")), el("p", {}, el("a", { href: "#/lookup" }, _("All kinds"))));
  }
  window.scrollTo(0, 0);
  $("h1", host)?.focus();
  return undefined;
}

/** Say what went wrong where the answer would stand. */
function failed(host, error, again) {
  if (error.name === "AbortError") return;
  host.replaceChildren(el("div", { class: "problems", role: "alert" }, el("p", {}, error.message), el("button", { type: "button", onclick: again }, _("Try again"))));
}

/** Sort by a heading, filter by typing or family. */
function lively(host) {
  const rows = $$("tbody tr", host);
  const typed = $("[data-filter]", host);
  const family = $("[data-family]", host);
  const only = $("[data-counted]", host);
  const filter = () => {
    const parts = typed.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const seen = parts.every((p) => row.dataset.text.includes(p)) && (!family.value || row.dataset.family === family.value) && (!only.checked || row.dataset.chance !== "");
      row.hidden = !seen;
      left += Number(seen);
    }
    $("[data-left]", host).textContent = _("{0} of {1} kinds", left, rows.length);
  };
  [typed, family, only].forEach((control) => control.addEventListener("input", filter));
  for (const button of $$("[data-sort]", host)) button.addEventListener("click", () => sort(host, button, rows));
  filter();
}

function sort(host, button, rows) {
  const head = button.closest("th");
  const down = head.getAttribute("aria-sort") === "ascending";
  $$("th[aria-sort]", host).forEach((th) => th.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = button.dataset.sort;
  const value = (row) => (key === "chance" ? (row.dataset.chance === "" ? NaN : Number(row.dataset.chance)) : row.dataset[key].toLowerCase());
  rows.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
  });
  $("tbody", host).append(...rows);
}
