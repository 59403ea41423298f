// A page of a reader study: answers are sent one by one, as they are given.
import { postJson } from "./api.js";

const page = document.getElementById("study-page");
const says = document.getElementById("says");
const next = document.getElementById("next");
const questions = [...document.querySelectorAll(".question")];
let current = 0;

// Time in front of the reader: a page in the background does not count.
let shown = 0;
let since = document.hidden ? null : performance.now();
document.addEventListener("visibilitychange", () => {
  if (document.hidden && since !== null) { shown += performance.now() - since; since = null; }
  else if (!document.hidden && since === null) since = performance.now();
});
const seconds = () => Math.round((shown + (since === null ? 0 : performance.now() - since)) / 100) / 10;

const focusOn = (index) => {
  current = Math.max(0, Math.min(index, questions.length - 1));
  questions.forEach((one, k) => one.setAttribute("aria-current", String(k === current)));
  questions[current]?.scrollIntoView({ block: "nearest" });
};

const finish = (done) => {
  next.disabled = !done;
  const button = document.getElementById("show-reveal");
  if (button) button.disabled = !done;
};

// One after another, so that the server sees answers in the order they were given.
let queue = Promise.resolve();
const send = (question, value) => {
  const body = {
    item: page.dataset.item,
    piece: Number(question.dataset.piece),
    question: question.dataset.question,
    value: String(value),
    seconds: seconds(),
  };
  question.classList.remove("kept");
  queue = queue.then(async () => {
    try {
      const answer = await postJson(`${page.dataset.page}/answers`, body);
      question.classList.add("kept");
      says.textContent = "";
      finish(answer.finished);
    } catch (error) {
      says.textContent = error.message;
    }
  });
};

for (const [index, question] of questions.entries()) {
  question.addEventListener("focusin", () => focusOn(index));
  question.addEventListener("change", (event) => {
    if (event.target.value !== "") send(question, event.target.value);
  });
}

const goNext = async () => {
  await queue;
  if (next.disabled) return;
  const last = page.dataset.last === "true";
  location.assign(last ? "../" : String(Number(page.dataset.page) + 1));
};
next.addEventListener("click", goNext);

const scroll = (view, step) => {
  const planes = [...view.querySelectorAll(".slice-plane")];
  const slider = view.querySelector("input[type=range]");
  if (!slider) return;
  const at = Math.max(0, Math.min(Number(slider.value) + step, planes.length - 1));
  slider.value = String(at);
  planes.forEach((plane, k) => plane.toggleAttribute("hidden", k !== at));
};
for (const view of document.querySelectorAll(".study-view")) {
  view.addEventListener("input", () => scroll(view, 0));
  view.addEventListener("wheel", (event) => {
    if (!view.querySelector("input[type=range]")) return;
    event.preventDefault();
    scroll(view, Math.sign(event.deltaY));
  }, { passive: false });
}

const hide = () => {
  const bare = document.body.classList.toggle("bare");
  document.getElementById("overlays").setAttribute("aria-pressed", String(!bare));
};
document.getElementById("overlays").addEventListener("click", hide);
const sheet = document.getElementById("key-sheet");
document.getElementById("keys").addEventListener("click", () => sheet.showModal());

const choose = (place) => {
  const options = questions[current]?.querySelectorAll("input[type=radio]") ?? [];
  if (questions[current]?.disabled || !options[place]) return;
  options[place].checked = true;
  send(questions[current], options[place].value);
  focusOn(current + 1);
};

const keys = {
  h: hide,
  "?": () => sheet.showModal(),
  ArrowDown: () => focusOn(current + 1),
  ArrowUp: () => focusOn(current - 1),
  Enter: goNext,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || sheet.open) return;
  if (event.target.matches("textarea, input[type=number], input[type=range], button, a")) return;
  const view = event.target.closest(".study-view");
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (view && step) { event.preventDefault(); scroll(view, step); return; }
  const kind = questions[current]?.dataset.kind;
  const letter = event.key.toLowerCase();
  if (kind === "yes_no" && (letter === "y" || letter === "n")) { choose(letter === "y" ? 1 : 0); return; }
  if (kind !== "yes_no" && /^[1-9]$/.test(event.key)) { choose(Number(event.key) - 1); return; }
  const act = keys[event.key] ?? keys[letter];
  if (act) { event.preventDefault(); act(); }
});

const button = document.getElementById("show-reveal");
button?.addEventListener("click", async () => {
  await queue;
  try {
    const found = await postJson(`${page.dataset.page}/reveal`, {});
    const list = document.createElement("dl");
    for (const [term, words] of Object.entries(found)) {
      const line = document.createElement("div");
      const name = document.createElement("dt");
      const text = document.createElement("dd");
      name.textContent = term;
      text.textContent = words;
      line.append(name, text);
      list.append(line);
    }
    document.getElementById("reveal").replaceChildren(list);
    questions.forEach((one) => { one.disabled = true; });
  } catch (error) {
    says.textContent = error.message;
  }
});

focusOn(questions.findIndex((one) => !one.querySelector(":checked") && one.dataset.required === "true"));
