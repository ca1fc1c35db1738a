// Every request of the page: a token where the service asks for one, and a word to the reader where the server is away.

import { $, _, lang } from "./dom.js";

let waiting = null;

/** What the server refused, with the reasons it gave. */
export class Refused extends Error {
  constructor(status, said) {
    const problems = said?.problems ?? [];
    super(problems[0]?.says ?? said?.detail ?? said?.title ?? String(status));
    this.status = status;
    this.problems = problems.length ? problems.map((p) => ({ where: p.where ?? "", says: p.says ?? sentence(p) })) : [{ where: said?.where ?? "", says: sentence(said) }];
  }
}

/** The server did not answer. */
export class Away extends Error {}

function sentence(p) {
  if (!p) return _("The server gave no reason.");
  if (p.found) return [p.found && _("found {0}", p.found), p.expected && _("expected {0}", p.expected), p.try].filter(Boolean).join("; ");
  return p.detail || p.title || _("The server gave no reason.");
}

export function here(path) {
  return path + (path.includes("?") ? "&" : "?") + "lang=" + lang;
}

/** Ask the server; raises Refused or Away. `retry` is offered to the reader where the server is away. */
export async function request(path, options = {}, retry = null) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    away(retry);
    throw new Away(_("The server cannot be reached."));
  }
  if (response.status === 401 && (await askToken())) return request(path, options, retry);
  back();
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => null));
  return response;
}

export const json = async (path, options, retry) => (await request(path, options, retry)).json();
export const text = async (path, options, retry) => (await request(path, options, retry)).text();

/** An upload that reports its progress; `signal` stops it. */
export function upload(path, form, progress, signal) {
  return new Promise((done, fail) => {
    const sent = new XMLHttpRequest();
    sent.open("POST", path);
    sent.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    sent.onload = () => {
      const said = parse(sent.responseText);
      if (sent.status < 300) done(said);
      else fail(new Refused(sent.status, said));
    };
    sent.onerror = () => fail(new Away(_("The server cannot be reached.")));
    sent.onabort = () => fail(new DOMException("stopped", "AbortError"));
    signal?.addEventListener("abort", () => sent.abort());
    sent.send(form);
  });
}

function parse(written) {
  try {
    return JSON.parse(written);
  } catch {
    return null;
  }
}

function away(retry) {
  const bar = $("#away");
  bar.hidden = false;
  $("span", bar).textContent = _("The server cannot be reached. What you entered is still here.");
  waiting = retry ?? waiting;
}

function back() {
  $("#away").hidden = true;
}

export function watch() {
  $("[data-retry]").addEventListener("click", () => (waiting ? waiting() : location.reload()));
  window.addEventListener("online", () => waiting?.());
}

/** Ask for the token and sign this browser in; the service keeps it in a cookie that scripts cannot read. */
function askToken() {
  const dialog = $("#token");
  if (!dialog.showModal || dialog.open) return Promise.resolve(false);
  return new Promise((done) => {
    dialog.addEventListener("close", async () => {
      const said = new URLSearchParams({ token: $("input", dialog).value.trim() });
      $("input", dialog).value = "";
      const answer = dialog.returnValue === "ok" ? await fetch("api/v1/session", { method: "POST", body: said }).catch(() => null) : null;
      done(Boolean(answer?.ok));
    }, { once: true });
    dialog.showModal();
  });
}
