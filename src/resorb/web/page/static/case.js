// The case in hand. It lives in the fragment of the address, which no server sees; a link is a case, and so is each step back.

export const WORDS = ["site", "findings", "symptoms", "conditions", "medicines", "exposures", "modality", "stage", "sex"];
export const READINGS = ["labs", "measures"];
export const PLAIN = ["age", "size", "density", "number", "duration"];

const MARK = { present: "", absent: "!", unknown: "~" };
const SAID = { "!": "absent", "~": "unknown" };

/** What is known: {site: {id: "present"}, labs: {id: "1.1 mmol/L"}, age: "48 years", done: [...]}. */
export let known = {};
const listeners = [];

export const onChange = (run) => listeners.push(run);

/** Say one word of the case: present, absent, unknown, or null to take it back. */
export function say(field, word, state) {
  const before = { ...(known[field] ?? {}) };
  if (state === null) delete before[word];
  else before[word] = state;
  change(field, Object.keys(before).length ? before : undefined);
}

/** Set a whole field; undefined clears it. */
export function change(field, value) {
  const next = { ...known };
  if (value === undefined || value === "") delete next[field];
  else next[field] = value;
  replace(next, true);
}

/** Take another case. `keep` writes it into the address as a step one can go back from. */
export function replace(next, keep) {
  known = next;
  if (keep) {
    const link = toLink(known);
    if (link !== location.hash) history.pushState(null, "", link);
  }
  listeners.forEach((run) => run(known));
}

export const empty = () => Object.keys(known).length === 0;

/** A case as the fragment of a link: `#/?site=shoulder&findings=fluffy_margin,!sharp_margin&labs=phosphate:1.1+mmol/L`. */
export function toLink(facts) {
  const parts = [];
  const put = (key, value) => parts.push(`${key}=${encodeURIComponent(value).replace(/%20/g, "+").replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%2F/g, "/")}`);
  for (const [field, value] of Object.entries(facts)) {
    if (WORDS.includes(field)) put(field, Object.entries(value).map(([word, state]) => MARK[state] + word).join(","));
    else if (READINGS.includes(field)) for (const [name, written] of Object.entries(value)) put(field, `${name}:${plainly(written)}`);
    else if (field === "done") for (const d of value) put("done", [d.option, d.outcome ?? "", d.after ?? "", d.when ?? ""].join(":").replace(/:+$/, ""));
    else put(field, plainly(value));
  }
  return "#/" + (parts.length ? "?" + parts.join("&") : "");
}

const plainly = (written) => (typeof written === "string" || typeof written === "number" ? String(written) : JSON.stringify(written));

/** The case in a fragment; what cannot be read is passed on for the server to say so. */
export function fromLink(hash) {
  const facts = {};
  const asked = new URLSearchParams(hash.includes("?") ? hash.slice(hash.indexOf("?") + 1) : "");
  for (const [field, value] of asked) {
    if (!value) continue;
    if (WORDS.includes(field)) facts[field] = { ...facts[field], ...Object.fromEntries(value.split(",").filter(Boolean).map(word)) };
    else if (READINGS.includes(field)) facts[field] = { ...facts[field], ...reading(value) };
    else if (field === "done") facts.done = [...(facts.done ?? []), deed(value)];
    else facts[field] = unwrap(value);
  }
  return facts;
}

const word = (said) => (said[0] in SAID ? [said.slice(1), SAID[said[0]]] : [said, "present"]);

function reading(value) {
  const at = value.indexOf(":");
  return at < 0 ? { [value]: "" } : { [value.slice(0, at)]: unwrap(value.slice(at + 1)) };
}

function unwrap(value) {
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function deed(value) {
  const [option, outcome, after, when] = value.split(":");
  return Object.fromEntries(Object.entries({ option, outcome, after, when }).filter(([, v]) => v));
}
