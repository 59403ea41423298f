"use strict";
// The scan page: moving along the spine, the reader's word, keys.
import { getJson, getText, postJson } from "./api.js";
import { setUpHeights } from "./heights.js";
import { setUpPlanes } from "./planes.js";
import { say } from "./say.js";

const root = document.documentElement;
const page = document.querySelector(".reader-page");
const says = document.getElementById("says");
const marks = [...document.querySelectorAll(".mark")];
const buttons = [...document.querySelectorAll(".level-list [data-level]")];
const levels = buttons.map((button) => button.dataset.level);
const shown = { level: "", window: "bone", plane: "sagittal", cross: false };
let last = Number(page.dataset.last);
let asked = 0;
let planes = null;
let heights = null;

const complain = (error) => { says.textContent = error.message; };
const seen = () => ({ level: shown.level, window: shown.window, overlays: !document.body.classList.contains("bare") });

const choose = async (level, scroll = true, kind = "") => {
  if (!levels.includes(level)) return;
  shown.level = level;
  const anchor = `level-${level}`;
  for (const element of document.querySelectorAll(".map [data-anchor]")) element.classList.toggle("selected", element.dataset.anchor === anchor);
  for (const mark of marks) mark.toggleAttribute("aria-current", mark.dataset.anchor === anchor);
  for (const button of buttons) button.setAttribute("aria-current", String(button.dataset.level === level));
  history.replaceState(null, "", `#${anchor}`);
  const mine = ++asked;
  const html = await getText(`levels/${level}`);
  if (mine !== asked) return; // the reader has moved on, or a newer answer is on its way
  const place = document.getElementById("level");
  const before = place.querySelector(`.level-view[data-level="${level}"]`);
  const editing = before?.querySelector(".points:not([hidden])");
  place.innerHTML = html; // written by the server's templates, which escape what is from outside
  const view = place.querySelector(".level-view");
  // What was typed and not kept stays where only points were kept.
  if (before && kind === "heights") view.querySelector("#word").replaceWith(before.querySelector("#word"));
  // An answer that left before an act was recorded must not take the count back.
  last = Math.max(last, Number(view.dataset.last));
  planes = setUpPlanes(view, shown);
  heights = setUpHeights(view, (body) => act("heights", level, body));
  if (editing) heights.toggle();
  document.getElementById("undo").disabled = view.dataset.undoable !== "true";
  showWords(JSON.parse(view.dataset.said));
  if (scroll) place.scrollIntoView({ block: "nearest" });
};

const showWords = (said) => {
  for (const button of buttons) {
    const words = said[button.dataset.level];
    const line = button.querySelector(".said");
    line.textContent = words || say("script.no_word");
    line.classList.toggle("nothing", !words);
  }
};

// One act after the other: each says after which one it came, and a quick hand is no second reader.
let turn = Promise.resolve();
const inTurn = (task) => (turn = turn.then(task, task));

const act = (kind, level, body, reload = false) => {
  const onScreen = seen();
  return inTurn(() => send(kind, level, body, reload, onScreen));
};

const send = async (kind, level, body, reload, onScreen) => {
  try {
    says.textContent = "";
    const done = await postJson("acts", { kind, level, body, after: last, seen: onScreen });
    last = done.last;
    if (reload) { location.reload(); return; }
    if (shown.level) await choose(shown.level, false, kind);
    if (done.left?.length) says.textContent = say("script.left", { levels: done.left.join(", ") });
  } catch (error) {
    if (error.status === 409 && shown.level) await choose(shown.level, false);
    complain(error);
  }
};

const wordFrom = (form) => {
  const data = new FormData(form);
  const text = (name) => (data.get(name) ?? "").toString();
  const verdict = text("verdict");
  return {
    verdict,
    grade: verdict === "grade" ? text("grade") || null : null,
    shape: verdict === "grade" ? text("shape") || null : null,
    deformity: verdict === "deformity" ? text("deformity") || null : null,
    acuity: text("acuity") || null,
    signs: data.getAll("signs"),
    reason: verdict === "not assessable" ? text("reason") : "",
    comment: text("comment"),
    recommendation: text("recommendation"),
  };
};

const quick = (changes) => {
  const form = document.getElementById("word");
  if (!form) return;
  act("word", shown.level, { ...wordFrom(form), grade: null, shape: null, deformity: null, reason: "", ...changes });
};

const shapeNow = () => document.querySelector("#word [name=shape]").value;
const step = (by) => {
  const at = levels.indexOf(shown.level);
  const next = at < 0 ? (by > 0 ? 0 : levels.length - 1) : Math.min(Math.max(at + by, 0), levels.length - 1);
  choose(levels[next]).catch(complain);
};
const hideOverlays = () => {
  const bare = document.body.classList.toggle("bare");
  document.getElementById("overlays").setAttribute("aria-pressed", String(!bare));
};
const turnWindow = async () => {
  shown.window = shown.window === "bone" ? "soft" : "bone";
  document.querySelector("#window span").textContent = say(`script.window.${shown.window}`);
  planes?.redraw();
  if (document.getElementById("viewer").open) (await import("./viewer.js")).windowViewer(shown.window);
};
const openVolume = async () => {
  const { openViewer } = await import("./viewer.js");
  const places = await getJson("places");
  await openViewer(shown.level, places[shown.level], shown.window);
};

const KEYS = {
  h: hideOverlays,
  w: turnWindow,
  c: () => planes?.cross(),
  e: () => heights?.toggle(),
  u: () => act("undo", null, {}, true),
  o: () => act("others", null, {}),
  v: () => openVolume().catch(complain),
  a: () => quick({ verdict: "agree" }),
  0: () => quick({ verdict: "grade", grade: "G0", shape: "none" }),
  1: () => quick({ verdict: "grade", grade: "G1", shape: shapeNow() }),
  2: () => quick({ verdict: "grade", grade: "G2", shape: shapeNow() }),
  3: () => quick({ verdict: "grade", grade: "G3", shape: shapeNow() }),
  ",": () => planes?.step(-1),
  ".": () => planes?.step(1),
  f: () => { document.getElementById("finish-title").scrollIntoView(); draft.focus({ preventScroll: true }); },
  "?": () => document.getElementById("sheet").showModal(),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const open = document.querySelector("dialog[open]");
  if (open ? event.key !== "w" : event.target.closest("input, textarea, select")) return;
  const does = KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

document.addEventListener("click", (event) => {
  const place = event.target.closest("a[href^='#level-'], [data-level]:is(button)");
  const level = place && (place.dataset.level ?? place.getAttribute("href").slice("#level-".length));
  if (level && levels.includes(level)) {
    event.preventDefault();
    // The level that is open already stays as it is, with what was typed or drawn and not kept.
    if (level === shown.level) document.getElementById("level").scrollIntoView({ block: "nearest" });
    else choose(level).catch(complain);
  }
  const shift = event.target.closest("button[data-shift]");
  if (shift) act("shift", null, { by: Number(shift.dataset.shift) }, true);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "word") {
    event.preventDefault();
    act("word", shown.level, wordFrom(form));
  } else if (form.id === "finalise" || form.id === "addendum") {
    event.preventDefault();
    act(form.id, null, Object.fromEntries(new FormData(form)), true);
  } else if (form.id === "prior") {
    event.preventDefault();
    location.assign(`beside/${new FormData(form).get("other")}`);
  }
});

const draft = document.getElementById("draft");
const on = (id, does) => document.getElementById(id).addEventListener("click", does);
on("overlays", hideOverlays);
on("window", turnWindow);
on("undo", KEYS.u);
on("others", KEYS.o);
on("open-viewer", KEYS.v);
on("keys", KEYS["?"]);
on("theme", () => { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; });
on("save-draft", () => act("draft", null, { text: draft.value }));
on("compose", async () => { draft.value = (await getJson("finding")).text; });
on("copy", async () => {
  try { await navigator.clipboard.writeText(draft.value); } catch { draft.select(); document.execCommand("copy"); }
  says.textContent = say("script.copied");
});

const first = async () => {
  const wanted = decodeURIComponent(location.hash.slice("#level-".length));
  const suspect = document.querySelector(".suspect")?.getAttribute("href").slice("#level-".length);
  await choose(levels.includes(wanted) ? wanted : suspect ?? levels[0], false);
  // Nothing that is shown changes by this, so nothing is drawn again under the reader's hands.
  await inTurn(async () => {
    if (!last) last = (await postJson("acts", { kind: "viewed", level: null, body: {}, after: 0, seen: seen() })).last;
  });
};
first().catch(complain);
