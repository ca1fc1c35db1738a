// The answer beside the form. The server writes it; here it is asked for, shown, and made to react: one-click questions, horizon.

import { $, $$, _, el, later, named } from "./dom.js";
import { Away, Refused, here, json } from "./ask_server.js";
import { change, empty, known, onChange, READINGS, say } from "./case.js";
import { fieldOf, mark, named_words, open, suggest, unitName } from "./form.js";

const WAIT = 180;
let running = null;
let opened = new Set();

export function startAnswer() {
  onChange(later(refresh, WAIT));
  onChange(() => empty() && clear());
  $("#to-answer").addEventListener("click", (event) => {
    event.preventDefault();
    $("#answer").scrollIntoView({ behavior: "smooth", block: "start" });
  });
  new IntersectionObserver(([seen]) => $("#to-answer").classList.toggle("seen", seen.isIntersecting), { rootMargin: "0px 0px -35% 0px" }).observe($(".side"));
  window.addEventListener("beforeprint", () => { opened = new Set($$("#answer details[open]")); $$("#answer details").forEach((d) => { d.open = true; }); });
  window.addEventListener("afterprint", () => $$("#answer details").forEach((d) => { d.open = opened.has(d); }));
}

function clear() {
  running?.abort();
  $("#answer").replaceChildren();
  $("#start").hidden = false;
  $("#to-answer").hidden = true;
  $("#problems").hidden = true;
  $("#said").textContent = "";
  suggest({});
}

/** Ask again for the case as it is now; an older question that is still out is dropped. */
export async function refresh() {
  if (empty()) return clear();
  running?.abort();
  const mine = (running = new AbortController());
  const host = $("#answer");
  host.setAttribute("aria-busy", "true");
  try {
    const said = await json(here("page/answer"), { method: "POST", headers: { "Content-Type": "application/json" }, body: await told(mine.signal), signal: mine.signal }, refresh);
    if (mine !== running) return;
    show(host, said);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error instanceof Refused) problems(error.problems, error.status);
    else if (!(error instanceof Away)) throw error;
  } finally {
    if (mine === running) host.setAttribute("aria-busy", "false");
  }
}

const changes = new Map();
/** The case as it is sent: beside it, where two scans were compared, what the service keeps of them. */
async function told(signal) {
  const { comparison, ...facts } = known;
  if (!comparison) return JSON.stringify(facts);
  if (!changes.has(comparison)) changes.set(comparison, await json(`api/v1/comparisons/${encodeURIComponent(comparison)}`, { signal }, refresh));
  return JSON.stringify({ case: facts, change: changes.get(comparison) });
}

function show(host, said) {
  const kept = keep(host);
  $("#problems").hidden = true;
  $("#start").hidden = true;
  mark([]);
  host.innerHTML = said.html;
  restore(host, kept);
  $("#said").textContent = said.said;
  const link = $("#to-answer");
  link.hidden = false;
  link.classList.toggle("urgent", Boolean($(".flag", host)));
  link.replaceChildren(el("span", {}, said.said), el("span", { "aria-hidden": "true" }, "↓"));
  $$("[data-ask]", host).forEach(makeQuestion);
  $$("[data-outlook]", host).forEach(makeOutlook);
  suggest(said.suggest);
}

/** What the reader had opened stays open when the answer is written anew. */
function keep(host) {
  const outcome = $(".choice[aria-pressed=true]", host)?.dataset.outcome;
  return { outcome, open: $$("details", host).map((d) => [$("summary", d).textContent.replace(/\(.*/, ""), d.open]), focus: document.activeElement?.closest("#answer") ? document.activeElement.dataset.key : null };
}

function restore(host, kept) {
  const open_ = new Map(kept.open);
  for (const d of $$("details", host)) {
    const before = open_.get($("summary", d).textContent.replace(/\(.*/, ""));
    if (before !== undefined) d.open = before;
  }
  host.dataset.outcome = kept.outcome ?? "";
}

function problems(found, status) {
  const host = $("#problems");
  host.hidden = false;
  host.replaceChildren(el("p", {}, el("b", {}, status < 500 ? _("This cannot be used as it is:") : _("The service could not answer:"))), el("ul", { lang: "en" }, ...found.map((p) => el("li", {}, p.says))), $("#answer").children.length ? el("p", { class: "small" }, _("The answer below is for the facts before.")) : "", status < 500 ? "" : el("button", { type: "button", onclick: refresh }, _("Try again")));
  mark(found);
}

/** One-click answers to what would change the answer most. */
function makeQuestion(item) {
  const { ask: id, group } = item.dataset;
  const field = fieldOf(id, group);
  if (group === "site" && id === "site") {
    item.append(el("button", { type: "button", onclick: () => $('[data-combo="site"] input').focus() }, _("Say where")));
  } else if (group === "sex" || id === "sex") {
    item.append(answers(["female", "male"].map((w) => [named_words.get(w) ? named(named_words.get(w)) : w, () => change("sex", { [w]: "present" })])));
  } else if (READINGS.includes(field) || named_words.get(id)?.units) {
    item.append(measureAnswer(id, field));
  } else {
    item.append(answers([["present", _("Yes")], ["absent", _("No")], ["unknown", _("Not known")]].map(([state, label]) => [label, () => say(field, id, state)])));
  }
}

const answers = (list) => el("p", { class: "answers" }, ...list.map(([label, run]) => el("button", { type: "button", onclick: run }, label)));

function measureAnswer(id, field) {
  const card = named_words.get(id) ?? { units: [], name: id };
  const put = (value) => (READINGS.includes(field) ? change(field, { ...(known[field] ?? {}), [id]: value }) : change(field, value));
  const input = el("input", { type: "text", inputmode: "decimal", "aria-label": card.name, placeholder: card.usual ?? "" });
  const units = card.units?.length ? el("select", { "aria-label": `${card.name}, ${_("unit")}` }, ...card.units.map((u) => el("option", { value: u }, unitName(u)))) : null;
  const send = (event) => {
    event.preventDefault();
    if (input.value.trim()) put(`${input.value.trim().replace(",", ".")} ${units?.value ?? ""}`.trim());
    else open(field, id);
  };
  const levels = field === "labs" ? ["low", "normal", "high"].map((level) => el("button", { type: "button", onclick: () => put(level) }, _(level))) : [];
  return el("form", { class: "answers", onsubmit: send }, input, units, el("button", { type: "submit" }, _("Enter")), ...levels);
}

/** Choose an outcome, move the horizon. What is shown for a time is what studies reported for it. */
export function makeOutlook(host) {
  const buttons = $$(".choice", host);
  const pick = (outcome) => {
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.outcome === outcome)));
    $$(".outcome", host).forEach((p) => { p.hidden = p.dataset.panel !== outcome; });
  };
  buttons.forEach((b) => b.addEventListener("click", () => pick(b.dataset.outcome)));
  const before = host.closest("#answer")?.dataset.outcome;
  if (before && buttons.some((b) => b.dataset.outcome === before)) pick(before);
  for (const panel of $$(".outcome", host)) {
    const slider = $("[data-horizon]", panel);
    const stops = $$(".stop", panel);
    const go = (n) => {
      stops.forEach((s, k) => { s.hidden = k !== n; });
      const name = stops[n]?.dataset.stop ?? "";
      if (slider) {
        slider.setAttribute("aria-valuetext", name);
        $("output", panel).textContent = name;
      }
      $$(".point", panel).forEach((p) => p.classList.toggle("now", p.dataset.stop === name));
    };
    slider?.addEventListener("input", () => go(Number(slider.value)));
    go(Number(slider?.value ?? 0));
  }
}
