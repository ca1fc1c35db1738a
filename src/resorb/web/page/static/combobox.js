// A list one types into (the combobox pattern of the ARIA practices): arrows move, Enter takes, Escape closes.

import { _, el, named } from "./dom.js";

let made = 0;
const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[_.-]/g, " ");

/** The words that match what was typed, best first: the start of a name, then a word in it, then another name. */
export function find(words, typed, most = 12) {
  const parts = plain(typed).split(/\s+/).filter(Boolean);
  const scored = [];
  words.forEach((word, place) => {
    word.heard ??= [word.name, ...(word.also ?? []), word.id].map(plain);
    let best = 9;
    word.heard.forEach((name, n) => {
      if (!parts.every((p) => name.includes(p))) return;
      best = Math.min(best, (name.startsWith(parts[0] ?? "") ? 0 : name.includes(" " + parts[0]) ? 1 : 2) + (n ? 1 : 0));
    });
    if (best < 9) scored.push([best, place, word]);
  });
  return scored.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, most).map((s) => s[2]);
}

/** A combobox over `words`; `take` is called with the word chosen. */
export function combobox(host, label, words, take) {
  const id = `combo-${++made}`;
  const input = el("input", {
    id, type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
    autocomplete: "off", spellcheck: "false", placeholder: _("Type to search"),
  });
  const list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
  host.replaceChildren(el("label", { for: id }, label), el("div", { class: "combo" }, input, list));
  let shown = [];
  let at = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };
  const choose = (word) => {
    input.value = "";
    close();
    take(word);
  };
  const open = () => {
    shown = find(words(), input.value);
    list.replaceChildren(...shown.map((word, n) => option(word, `${id}-${n}`, () => choose(word))));
    if (!shown.length) list.append(el("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, _("No word of the form matches.")));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    move(shown.length && input.value ? 0 : -1);
  };
  const move = (to) => {
    at = to;
    [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", `${id}-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  input.addEventListener("input", open);
  input.addEventListener("click", () => list.hidden && open());
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open();
      else if (shown.length) move((at + (event.key === "ArrowDown" ? 1 : shown.length - 1) + shown.length) % shown.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && at >= 0) choose(shown[at]);
    } else if (event.key === "Escape") close();
  });
  return input;
}

function option(word, id, take) {
  const other = (word.also ?? []).slice(0, 3).join(", ");
  return el("li", { id, role: "option", "aria-selected": "false", onpointerdown: (e) => e.preventDefault(), onclick: take },
    named(word), other && el("span", { class: "other", lang: "en" }, other), word.counts && el("span", { class: "other", lang: "en" }, `${_("Counts:")} ${word.counts}`));
}
