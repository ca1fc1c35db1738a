// Small tools of the page: elements, words in the reader's language.

const script = document.getElementById("script-words");
const words = script ? JSON.parse(script.textContent) : {};
export const lang = document.documentElement.lang;

/** A text in the reader's language; {0}, {1} ... are filled in. */
export function _(text, ...values) {
  return (words[text] ?? text).replace(/\{(\d)\}/g, (whole, n) => values[n] ?? whole);
}

/** An element: el("button", {type: "button", onclick}, "Text", child ...). */
export function el(tag, set = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(set)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key === "data") Object.assign(made.dataset, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/** An SVG element. */
export function svg(tag, set = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(set)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Wait a little after the last call. */
export function later(run, wait) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), wait);
  };
}

/** The name of a word, marked as English where it is. */
export function named(word, tag = "span") {
  return el(tag, word.en ? { lang: "en" } : {}, word.name);
}

/** Offer a text as a file. */
export function save(text, name, type) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
