// Scans: drop one and see every deposit; drop a second and see what changed. The address holds which ones, so a reload finds them again.

import { $, $$, _, el } from "./dom.js";
import { Away, Refused, here, json, text, upload } from "./ask_server.js";
import { filesOf } from "./dropping.js";
import { openPair, openViewer } from "./viewer.js";

const POLL = [300, 500, 800, 1200, 2000];
const host = $("#scan");
let asked = "";

/** Show what the address names: `#/scan?a=SCAN&b=SCAN&c=COMPARISON`. */
export async function showScan(hash) {
  if (hash === asked && host.children.length) return;
  asked = hash;
  const named = new URLSearchParams(hash.slice(hash.indexOf("?") + 1));
  const [a, b, c] = hash.includes("?") ? ["a", "b", "c"].map((key) => named.get(key)) : [];
  const stated = { ...(named.get("months") ? { months: Number(named.get("months")) } : {}), ...(named.get("same_person") ? { same_person: true } : {}) };
  host.replaceChildren();
  try {
    if (!a) host.append(dropZone(_("Drop a CT here"), (id) => go({ a: id })));
    else if (!b) await showOne(a);
    else await showPair(a, b, c, stated);
  } catch (error) {
    failed(error, () => { asked = ""; showScan(hash); }, a, b);
  }
}

function go(ids) {
  location.hash = "#/scan?" + Object.entries(ids).filter(([, id]) => id).map(([key, id]) => `${key}=${encodeURIComponent(id)}`).join("&");
}

/** What went wrong, and the ways on: a measured scan is not lost because the one beside it, or the pair, was refused. */
function failed(error, again, a, b) {
  for (const unfinished of $$(".panel.progress", host)) unfinished.remove();
  const button = (label, act) => el("button", { type: "button", onclick: act }, label);
  const ways = error instanceof Away ? [button(_("Try again"), again)] : [
    ...(b ? [button(_("Back to the earlier scan"), () => go({ a })), " ", button(_("Swap earlier and later"), () => go({ a: b, b: a })), " "] : []),
    button(_("Start with another scan"), () => go({}))];
  if (error.name === "AbortError") return host.append(el("p", { role: "status" }, _("Stopped.")), el("p", {}, ...ways));
  const found = error instanceof Refused ? error.problems.map((p) => p.says) : [error.message];
  host.append(el("div", { class: "problems", role: "alert" }, el("p", {}, el("b", {}, _("This did not work:"))), el("ul", { lang: "en" }, ...found.map((f) => el("li", {}, f))),
    el("p", {}, ...ways)));
}

/** What the files may not say, for those who know it. */
function statedFields(pair) {
  const kvp = el("input", { type: "text", inputmode: "decimal", name: "kvp", size: 5 });
  const contrast = el("select", { name: "contrast" }, el("option", { value: "" }, _("as the files say")), el("option", { value: "none" }, _("none was given")), el("option", { value: "given" }, _("was given")));
  const months = el("input", { type: "text", inputmode: "decimal", size: 5 });
  const same = el("input", { type: "checkbox" });
  const labels = el("input", { type: "file", accept: ".nii,.gz,.dcm" });
  const box = el("details", { class: "stated" }, el("summary", {}, _("What the files may not say")), el("div", { class: "filters" },
    el("label", {}, _("Contrast medium"), " ", contrast), el("label", {}, _("Tube voltage, kV"), " ", kvp),
    el("label", {}, _("Where to look: a label map (NIfTI) or DICOM SEG"), " ", labels),
    pair && el("label", {}, _("Months between the scans"), " ", months), pair && el("label", { class: "check" }, same, " ", _("It is the same person, whatever the files say"))));
  return { box, scan: () => ({ kvp: kvp.value.trim().replace(",", "."), contrast: contrast.value, labels: labels.files[0] }), pair: () => ({ ...(months.value.trim() ? { months: Number(months.value.replace(",", ".")) } : {}), ...(same.checked ? { same_person: true } : {}) }) };
}

/** A place to drop files on, with buttons for those who do not drag. */
function dropZone(title, taken, pair = false) {
  const stated = statedFields(pair);
  const files = el("input", { type: "file", multiple: true, class: "sr" });
  const folder = el("input", { type: "file", webkitdirectory: true, class: "sr" });
  const state = el("div", { class: "progress", "aria-live": "polite" });
  const zone = el("div", { class: "drop" }, el("h2", {}, title), el("p", {}, _("A folder of DICOM files, a zip, or a NIfTI file (.nii, .nii.gz)")),
    el("div", { class: "keep" }, el("label", { class: "button" }, _("Choose files"), files), el("label", { class: "button" }, _("Choose a folder"), folder)), stated.box, state);
  const send = (list) => list.length && sendFiles(list, stated.scan(), state, (id) => taken(id, stated.pair()));
  files.addEventListener("change", () => send([...files.files]));
  folder.addEventListener("change", () => send([...folder.files]));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    send(await filesOf(event.dataTransfer));
  });
  return zone;
}

async function sendFiles(files, stated, state, taken) {
  const form = new FormData();
  for (const [name, value] of Object.entries(stated)) if (value) form.append(name, value);
  for (const file of files) form.append("files", file, file.name);
  const stop = new AbortController();
  const bar = el("progress", { max: 1, value: 0, "aria-label": _("Sending") });
  const say = el("p", {}, _("Sending {0} files", files.length));
  state.replaceChildren(say, bar, el("button", { type: "button", onclick: () => stop.abort() }, _("Stop")));
  try {
    const accepted = await upload("api/v1/scans", form, (part) => { bar.value = part; }, stop.signal);
    await job(accepted.job, state);
    taken(accepted.scan);
  } catch (error) {
    if (error.name === "AbortError") state.replaceChildren(el("p", {}, _("Stopped.")));
    else {
      const said = error instanceof Refused ? error.problems.map((p) => p.says) : [error.message];
      state.replaceChildren(el("div", { class: "problems", role: "alert" }, el("p", {}, el("b", {}, _("This cannot be measured:"))), el("ul", { lang: "en" }, ...said.map((s) => el("li", {}, s)))),
        ...(error instanceof Away ? [el("button", { type: "button", onclick: () => sendFiles(files, stated, state, taken) }, _("Try again"))] : []));
    }
  }
}

/** Wait for a job, showing how far it is. Raises Refused where it failed. */
async function job(id, state) {
  const bar = el("progress", { max: 1, "aria-label": _("Working") });
  const say = el("p", { role: "status" }, _("Working"));
  let gone = false;
  const stop = async () => { gone = true; await json(`api/v1/jobs/${id}`, { method: "DELETE" }).catch(() => null); };
  state.replaceChildren(say, bar, el("button", { type: "button", onclick: stop }, _("Stop")));
  for (let n = 0; ; n += 1) {
    if (gone) throw new DOMException("stopped", "AbortError");
    const now = await json(`api/v1/jobs/${id}`).catch((error) => { if (error instanceof Away) return null; throw error; });
    if (now?.state === "done") return;
    if (now?.state === "failed") throw new Refused(422, { problems: now.problems?.length ? now.problems : [{ says: now.says }] });
    if (now?.state === "cancelled") throw new DOMException("stopped", "AbortError");
    if (now) {
      if (now.progress > 0) bar.value = now.progress;
      say.textContent = _(now.says);
    }
    await new Promise((done) => setTimeout(done, POLL[Math.min(n, POLL.length - 1)]));
  }
}

/** One scan: the viewer, the table beside it, and the way to a second one. */
async function showOne(id) {
  const state = el("div", { class: "panel progress" });
  host.append(state);
  const scan = await ready(id, state);
  const measured = await text(`api/v1/scans/${id}/measurement`);
  state.remove();
  const table = el("div");
  table.innerHTML = await text(here("page/result"), { method: "POST", headers: { "Content-Type": "application/json" }, body: measured });
  const view = el("div");
  host.append(el("div", { class: "scan-grid" }, view, table), links(id), el("h2", {}, _("Was it scanned again?")), dropZone(_("Drop the later CT here"), (second, stated) => go({ a: id, b: second, ...stated }), true));
  const viewer = await openViewer(view, scan, _("The scan"));
  for (const row of $$("tr[data-deposit]", table)) {
    const jump = () => { choose(table, row); viewer.show(placeOf(row), Number(row.dataset.slice), Number(row.dataset.deposit)); };
    row.addEventListener("click", jump);
  }
  viewer.onPick((deposit) => choose(table, $(`tr[data-deposit="${deposit}"]`, table), true));
  for (const button of $$("[data-use]", table)) button.addEventListener("click", (event) => { event.stopPropagation(); use(JSON.parse(button.dataset.use)); });
  $("tr[data-deposit]", table)?.click();
}

const placeOf = (row) => ["x", "y", "z"].map((axis) => Number(row.dataset[axis]));

function choose(table, row, bring = false) {
  for (const other of $$("tr.now", table)) other.classList.remove("now");
  row?.classList.add("now");
  if (bring) row?.scrollIntoView({ block: "nearest" });
}

const links = (id) => el("p", { class: "small" }, el("a", { href: `api/v1/scans/${id}/report.html`, target: "_blank", rel: "noopener" }, _("The whole report")), " · ",
  el("a", { href: `api/v1/scans/${id}/labels.nii.gz`, download: "deposits.nii.gz" }, _("The outlines as a file")), " · ",
  el("button", { type: "button", class: "quiet", onclick: () => forget(id) }, _("Delete this scan from the service")));

async function forget(id) {
  await fetch(`api/v1/scans/${id}`, { method: "DELETE" });
  go({});
}

/** The scan once it is measured. */
async function ready(id, state) {
  const scan = await json(`api/v1/scans/${id}`);
  if (scan.state === "done") return scan;
  if (scan.state === "failed") throw new Refused(422, { problems: scan.problems });
  await job(scan.job, state);
  return json(`api/v1/scans/${id}`);
}

/** A deposit becomes the case in hand. */
async function use(facts) {
  const { useFacts } = await import("./app.js");
  useFacts(facts);
}

/** Two scans: locked together, every deposit with its verdict. */
async function showPair(a, b, c, stated) {
  const state = el("div", { class: "panel progress" });
  host.append(state);
  const [first, second] = [await ready(a, state), await ready(b, state)];
  if (!c) {
    const made = await json("api/v1/comparisons", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ baseline: a, followup: b, ...stated }) });
    await job(made.job, state);
    history.replaceState(null, "", `#/scan?a=${a}&b=${b}&c=${made.comparison}`);
    asked = location.hash;
    c = made.comparison;
  }
  const change = await text(`api/v1/comparisons/${c}`);
  state.remove();
  const told = el("div");
  told.innerHTML = await text(here("page/result"), { method: "POST", headers: { "Content-Type": "application/json" }, body: change });
  const view = el("div");
  const pair = el("div", { class: "panel" }, view, el("p", { class: "small" }, _("The later scan is laid on the earlier one: both pictures show the same place. Choose a deposit in the table to see it.")));
  host.append($(".change", told), pair, told, el("p", { class: "small" }, el("a", { href: `api/v1/comparisons/${c}/report.html`, target: "_blank", rel: "noopener" }, _("The whole report"))),
    el("p", {}, el("button", { type: "button", onclick: () => go({ a: b, b: a }) }, _("Swap earlier and later")), " ", el("button", { type: "button", onclick: () => go({}) }, _("Start with another scan"))));
  $("[data-use]", host)?.addEventListener("click", (event) => use({ ...JSON.parse(event.target.dataset.use), comparison: c }));
  const viewer = await openPair(view, first, second, c);
  for (const row of $$("tr[data-deposit]", told)) {
    row.addEventListener("click", () => {
      choose(told, row);
      viewer.show(null, Number(row.dataset.slice), Number(row.dataset.deposit), Number(row.dataset.slice2));
    });
  }
  viewer.onPick((number) => choose(told, $(`tr[data-deposit="${number}"]`, told), true));
  $("tr[data-deposit]", told)?.click();
}
