// The form, made from the words of the cards. Every word is yes, no or not known; what nobody said is none of the three.

import { $, $$, _, el, named } from "./dom.js";
import { combobox } from "./combobox.js";
import { drawBody, startBody } from "./body.js";
import { known, change, say, PLAIN, READINGS, WORDS } from "./case.js";

const STATES = [["present", "Yes"], ["absent", "No"], ["unknown", "?"]];
const MOST_SUGGESTED = 6;
export const named_words = new Map();
let all = null;
let suggestions = {};

/** Take the words and build the form. */
export function startForm(words) {
  all = words;
  for (const [field, list] of Object.entries(words.fields)) for (const word of list) named_words.set(word.id, { ...word, field });
  for (const [field, quantity] of Object.entries(words.plain)) named_words.set(quantity.id, { ...quantity, field });
  startBody(words);
  for (const block of $$(".block[data-field]")) {
    const field = block.dataset.field;
    const list = () => (field === "done" ? all.options : all.fields[field].filter((w) => !(known[field] ?? {})[w.id]));
    combobox($(`[data-combo="${field}"]`), _("Add another"), list, (word) => add(field, word));
  }
}

function add(field, word) {
  if (field === "done") change("done", [...(known.done ?? []), { option: word.id }]);
  else if (READINGS.includes(field)) open(field, word.id);
  else say(field, word.id, "present");
}

/** Words worth asking next, by field, as the server ranks them. */
export function suggest(found) {
  suggestions = found;
  drawForm();
}

let asked = {};
/** Show an empty line for a value that is about to be typed. */
export function open(field, id) {
  asked = { ...asked, [field]: [...new Set([...(asked[field] ?? []), id])] };
  drawForm();
  const block = $(`.block[data-field="${field}"]`);
  if (block) {
    block.open = true;
    $(`[data-quantity="${id}"] input`, block)?.focus();
  }
}

/** Show the case in the form. A line that has the focus is left alone. */
export function drawForm() {
  if (!all) return;
  drawBody();
  drawPlain();
  for (const block of $$(".block[data-field]")) drawBlock(block, block.dataset.field);
}

function drawBlock(block, field) {
  const said = field === "done" ? (known.done ?? []) : Object.keys(known[field] ?? {});
  $("[data-count]", block).textContent = said.length ? String(said.length) : "";
  const rows = $("[data-rows]", block);
  if (field === "done") return keepFocus(rows, () => rows.replaceChildren(...said.map(doneRow)));
  const extra = READINGS.includes(field) ? [...(asked[field] ?? []), ...(suggestions[field] ?? []).slice(0, 4)] : (suggestions[field] ?? []).slice(0, MOST_SUGGESTED);
  const ids = [...new Set([...said, ...extra])].filter((id) => named_words.has(id) || said.includes(id));
  const make = READINGS.includes(field) ? quantityRow : wordRow;
  return keepFocus(rows, () => rows.replaceChildren(...ids.map((id) => make(field, id))));
}

/** Redraw without taking the focus away from where the reader is. */
function keepFocus(host, draw) {
  const key = host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const typed = key && document.activeElement.value;
  draw();
  const again = key && $(`[data-key="${CSS.escape(key)}"]`, host);
  if (again) {
    if (again.type === "text" && typed !== undefined) again.value = typed;
    again.focus({ preventScroll: true });
  }
}

function wordRow(field, id) {
  const word = named_words.get(id) ?? { id, name: id };
  const now = known[field]?.[id];
  const note = [word.counts && `${_("Counts:")} ${word.counts}`, word.not_counted && `${_("Does not count:")} ${word.not_counted}`].filter(Boolean);
  const buttons = STATES.map(([state, label]) => el("button", {
    type: "button", "aria-pressed": String(now === state), data: { key: `${id}-${state}`, state },
    "aria-label": state === "unknown" ? _("not known") : null, onclick: () => say(field, id, now === state ? null : state),
  }, _(label)));
  return el("div", { class: `row ${now ?? "open"}`, role: "group", "aria-label": word.name, data: { word: id } },
    el("span", { class: "row-name" }, named(word), ...note.map((n) => el("span", { class: "small block", lang: "en" }, n))), el("span", { class: "three" }, ...buttons));
}

/** One value with its unit. The number is sent as it is written; units are the card's. */
function quantityRow(field, id) {
  const card = named_words.get(id) ?? { id, name: id, units: [] };
  const written = (known[field] ?? {})[id];
  return valueRow(card, written, (value) => {
    const next = { ...(known[field] ?? {}) };
    if (value) next[id] = value;
    else delete next[id];
    change(field, Object.keys(next).length ? next : undefined);
  });
}

function valueRow(card, written, put) {
  if (written !== undefined && typeof written !== "string" && typeof written !== "number") {
    const told = Array.isArray(written) ? _("several values, from the file") : `${written.value} (${written.when})`;
    return el("div", { class: "row fixed", data: { quantity: card.id } }, named(card), el("span", { class: "small" }, told, " ",
      el("button", { type: "button", class: "quiet", "aria-label": _("Remove {0}", card.name), onclick: () => put("") }, "×")));
  }
  const [number, unit] = apart(String(written ?? ""), card.units ?? []);
  const input = el("input", { type: "text", inputmode: "decimal", value: number, placeholder: card.usual ?? "", "aria-label": card.name, data: { key: `${card.id}-value` } });
  const units = (card.units ?? []).length ? el("select", { "aria-label": `${card.name}, ${_("unit")}`, data: { key: `${card.id}-unit` } }, ...card.units.map((u) => el("option", u === unit ? { value: u, selected: true } : { value: u }, unitName(u)))) : null;
  const send = () => {
    const typed = input.value.trim();
    put(/^[\d.,+-]/.test(typed) && units && !/[a-z%]/i.test(typed) ? `${typed.replace(",", ".")} ${units.value}` : typed);
  };
  input.addEventListener("change", send);
  units?.addEventListener("change", () => input.value.trim() && send());
  return el("div", { class: `row amounts ${written ? "present" : "open"}`, data: { quantity: card.id } }, el("span", { class: "row-name" }, named(card)), el("span", { class: "amount" }, input, units));
}

/** A unit in the reader's language, where it is a word. */
export const unitName = (unit) => ({ years: _("years"), months: _("months"), weeks: _("weeks"), days: _("days"), hours: _("hours") })[unit] ?? unit;

function apart(written, units) {
  const match = written.match(/^\s*([-+]?[\d.,]+(?:e[-+]?\d+)?)\s*(.*)$/i);
  if (!match) return [written, units[0]];
  const unit = units.find((u) => u === match[2]) ?? units.find((u) => u.toLowerCase() === match[2].toLowerCase());
  return unit || !match[2] ? [match[1], unit ?? units[0]] : [written, units[0]];
}

function drawPlain() {
  const host = $("#plain");
  keepFocus(host, () => {
    const rows = PLAIN.filter((field) => all.plain[field]).map((field) => valueRow(all.plain[field], known[field], (value) => change(field, value || undefined)));
    host.replaceChildren(sexRow(), ...rows);
  });
}

function sexRow() {
  const now = Object.keys(known.sex ?? {})[0];
  const buttons = all.fields.sex.map((word) => el("button", {
    type: "button", "aria-pressed": String(now === word.id), data: { key: `sex-${word.id}` }, onclick: () => change("sex", now === word.id ? undefined : { [word.id]: "present" }),
  }, named(word)));
  return el("div", { class: "row amounts", role: "group", "aria-label": _("Sex") }, el("span", { class: "row-name" }, _("Sex")), el("span", { class: "three" }, ...buttons));
}

function doneRow(deed, n) {
  const put = (change_) => change("done", known.done.map((d, k) => (k === n ? Object.fromEntries(Object.entries({ ...d, ...change_ }).filter(([, v]) => v)) : d)));
  const option = all.options.find((o) => o.id === deed.option) ?? { name: deed.option };
  const outcome = el("select", { "aria-label": _("What happened since"), data: { key: `done-${n}-outcome` }, onchange: (e) => put({ outcome: e.target.value }) },
    el("option", { value: "" }, _("What happened since?")), ...all.outcomes.map((o) => el("option", o.id === deed.outcome ? { value: o.id, selected: true } : { value: o.id }, o.name)));
  const after = el("input", { type: "text", value: deed.after ?? "", placeholder: "3 months", "aria-label": _("After how long, such as 3 months"), data: { key: `done-${n}-after` }, onchange: (e) => put({ after: e.target.value.trim() }) });
  const remove = el("button", { type: "button", class: "quiet", "aria-label": _("Remove {0}", option.name), onclick: () => change("done", known.done.length > 1 ? known.done.filter((_d, k) => k !== n) : undefined) }, "×");
  return el("div", { class: "row done" }, el("span", { class: "row-name" }, named(option), remove), el("span", { class: "amount" }, outcome, after));
}

/** Bring the line that a problem speaks of into view and mark it. */
export function mark(problems) {
  for (const row of $$(".row.wrong")) row.classList.remove("wrong");
  for (const { where } of problems) {
    const id = where.split(/[.:]/).at(-1);
    $(`[data-quantity="${CSS.escape(id)}"], [data-word="${CSS.escape(id)}"]`)?.classList.add("wrong");
  }
}

export const fieldOf = (id, group) => named_words.get(id)?.field ?? { finding: "findings", symptom: "symptoms", condition: "conditions", medicine: "medicines", exposure: "exposures", lab: "labs", measure: "measures" }[group] ?? group;
export const isWord = (field) => WORDS.includes(field);
