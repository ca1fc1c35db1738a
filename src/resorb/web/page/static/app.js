// The start of the page: which view, which language, and the case that the address holds.

import { $, $$, _, el, later, save } from "./dom.js";
import { Away, Refused, here, json, request, text, watch } from "./ask_server.js";
import { change, empty, fromLink, known, onChange, replace } from "./case.js";
import { drawForm, startForm } from "./form.js";
import { startAnswer } from "./answer.js";

let shown = "";

async function start() {
  watch();
  startAnswer();
  onChange(drawForm);
  onChange(languages);
  window.addEventListener("popstate", route);
  window.addEventListener("hashchange", route);
  $("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault();
    $("#main").focus();
  });
  keeping();
  const load = async () => {
    startForm(await json(here("page/words.json"), {}, load));
    drawForm();
    document.documentElement.dataset.ready = "true";
  };
  route();
  await load().catch((error) => { if (!(error instanceof Away)) throw error; });
}

/** Show what the address says. */
async function route() {
  const hash = location.hash || "#/";
  const view = hash.startsWith("#/scan") ? "scan" : hash.startsWith("#/lookup") || hash.startsWith("#/kind/") ? "lookup" : "describe";
  languages();
  for (const section of $$(".view")) section.hidden = section.id !== `view-${view}`;
  for (const link of $$("nav a")) link.toggleAttribute("aria-current", link.dataset.view === view);
  for (const link of $$("nav a[aria-current]")) link.setAttribute("aria-current", "page");
  if (view !== shown) window.scrollTo(0, 0);
  shown = view;
  if (view === "describe") replace(fromLink(hash), false);
  if (view === "scan") (await import("./scan.js")).showScan(hash);
  if (view === "lookup") (await import("./lookup.js")).showLookup(hash);
}

/** The way back to the case, and to the same view in another language. */
function languages() {
  for (const link of $$("[data-lang]")) link.href = `?lang=${link.dataset.lang}${location.hash}`;
  if (location.hash.startsWith("#/?") || location.hash === "#/" || !location.hash) $('nav a[data-view="describe"]').href = location.hash || "#/";
}

/** Link, file, print, start over, published cases. */
function keeping() {
  const acts = {
    link: copyLink,
    yaml: keepFile,
    print: () => window.print(),
    clear: () => { replace({}, true); $("#example").hidden = true; $("#examples").value = ""; window.scrollTo(0, 0); },
  };
  for (const button of $$("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act](button));
  $("#form").addEventListener("submit", (event) => event.preventDefault());
  $("#open-file").addEventListener("change", (event) => openFile(event.target));
  $("#examples").addEventListener("change", (event) => event.target.value && published(event.target.value));
  const drop = $("#view-describe");
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) readFile(event.dataTransfer.files[0]); });
}

async function copyLink(button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = _("Copied");
  } catch {
    prompt(_("Copy this link:"), location.href);
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function keepFile() {
  const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...known, comparison: undefined }) };
  try {
    save(await text("page/case.yaml", asked), "case.yaml", "application/yaml");
  } catch (error) {
    if (error instanceof Refused) tell(error.problems);
    else save(JSON.stringify(known, null, 1), "case.json", "application/json");
  }
}

async function openFile(input) {
  if (input.files[0]) await readFile(input.files[0]);
  input.value = "";
}

async function readFile(file) {
  if (file.size > 50_000_000) return tell([{ says: _("{0} is larger than a case; a scan belongs under Scan.", file.name) }]);
  try {
    replace(await json("page/case", { method: "POST", headers: { "Content-Type": "text/plain" }, body: await file.text() }), true);
  } catch (error) {
    if (error instanceof Refused) tell(error.problems);
    else if (!(error instanceof Away)) throw error;
  }
}

function tell(problems) {
  const host = $("#problems");
  host.hidden = false;
  host.replaceChildren(el("p", {}, el("b", {}, _("This file cannot be used:"))), el("ul", { lang: "en" }, ...problems.map((p) => el("li", {}, p.says))));
  host.scrollIntoView({ block: "nearest" });
}

async function published(name) {
  const said = await json(`page/examples/${encodeURIComponent(name)}`);
  replace(said.case, true);
  const host = $("#example");
  host.hidden = false;
  host.replaceChildren(
    el("h2", {}, _("A published case")), el("p", { lang: "en" }, el("b", {}, said.about.title)), el("p", { class: "small", lang: "en" }, said.about.citation ?? ""),
    el("details", {}, el("summary", {}, _("What happened in the end")), el("p", { lang: "en" }, said.about.what_happened ?? "")),
    said.about.link ? el("p", {}, el("a", { href: said.about.link, target: "_blank", rel: "noopener noreferrer" }, _("Open the source"))) : null);
}

/** A deposit of a scan becomes the case. */
export function useFacts(facts) {
  replace({ ...known, ...facts }, true);
  route();
}

export { change, empty, later, request };
start();
