"use strict";
// Body centers are clicked; levels count on, and a ring shows where the next one should be.
import { getJson, postJson } from "./api.js";
import { say } from "./say.js";

const SVG = "http://www.w3.org/2000/svg";
const TYPICAL_MM = 28;
const slice = document.getElementById("slice");
const marks = document.getElementById("marks");
const x = document.getElementById("x");
const says = document.getElementById("says");
const first = document.getElementById("first");
const NAMES = [...first.options].map((option) => option.value);
const places = await getJson("slices");
const chips = document.getElementById("set");
const NEAR_MM = 12; // of the slice: a center further off is drawn faintly
// Names count on here. Where those found do not, nothing is taken over, so that none is renamed.
const start = NAMES.indexOf(places.found[0]?.level);
const counts = places.found.every((one, index) => one.level === NAMES[start + index]);
const clicked = counts ? places.found.map((one) => one.center_mm) : [];
marks.setAttribute("viewBox", `0 0 ${places.columns} ${places.rows}`);
[x.min, x.max] = places.x_mm.map(Math.round);
x.value = String(Math.round(clicked.length ? clicked[0][0] : (places.x_mm[0] + places.x_mm[1]) / 2));
if (clicked.length) first.value = NAMES[start];

const level = (index) => NAMES[NAMES.indexOf(first.value) + index];
const toPixel = ([, y, z]) => [places.first_mm[1] - y + 0.5, places.first_mm[2] - z + 0.5];
const toMm = (event) => {
  const box = slice.getBoundingClientRect();
  const column = ((event.clientX - box.left) / box.width) * places.columns - 0.5;
  const row = ((event.clientY - box.top) / box.height) * places.rows - 0.5;
  return [Number(x.value), places.first_mm[1] - column, places.first_mm[2] - row];
};
const expected = () => {
  if (!clicked.length) return null;
  const now = clicked[clicked.length - 1];
  const before = clicked[clicked.length - 2];
  return before ? now.map((value, i) => 2 * value - before[i]) : [now[0], now[1], now[2] - TYPICAL_MM];
};
const ring = (mm, name, kind) => {
  const [cx, cy] = toPixel(mm);
  const circle = marks.appendChild(document.createElementNS(SVG, "circle"));
  const near = Math.abs(mm[0] - Number(x.value)) <= NEAR_MM;
  for (const [key, value] of Object.entries({ cx, cy, r: 5, class: near ? kind : `${kind} far` })) circle.setAttribute(key, value);
  const text = marks.appendChild(document.createElementNS(SVG, "text"));
  text.setAttribute("x", cx + 8);
  text.setAttribute("y", cy + 4);
  text.textContent = name;
  return circle;
};
const makeDraggable = (circle, index) => {
  circle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const move = (moved) => { clicked[index] = toMm(moved); draw(); };
    const end = () => { document.removeEventListener("pointermove", move); document.removeEventListener("pointerup", end); };
    // On the document, as every move draws the rings anew.
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
  });
};
const chip = (mm, index) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = level(index) ?? "?";
  button.addEventListener("click", () => { x.value = String(Math.round(mm[0])); load(); draw(); });
  const item = document.createElement("li");
  item.append(button);
  return item;
};
const draw = () => {
  marks.replaceChildren();
  clicked.forEach((mm, index) => makeDraggable(ring(mm, level(index) ?? "?", "set"), index));
  const next = expected();
  if (next && level(clicked.length)) ring(next, `${level(clicked.length)}?`, "ghost");
  chips.replaceChildren(...clicked.map(chip));
  document.getElementById("done").disabled = clicked.length < 2 || !level(clicked.length - 1);
};
const load = () => {
  slice.src = new URL(`slices/sagittal.png?x_mm=${x.value}`, location.href).href;
  document.getElementById("x-said").textContent = `${x.value} mm`;
};
x.addEventListener("input", () => { load(); draw(); });
first.addEventListener("change", draw);
slice.addEventListener("click", (event) => {
  if (!level(clicked.length)) { says.textContent = say("script.no_level_below"); return; }
  clicked.push(toMm(event));
  draw();
});
document.getElementById("take-back").addEventListener("click", () => { clicked.pop(); draw(); });
document.getElementById("done").addEventListener("click", async () => {
  const centers = clicked.map((center_mm, index) => ({ level: level(index), center_mm }));
  try {
    await postJson("centers", { centers });
    location.assign("./");
  } catch (error) {
    says.textContent = error.message;
  }
});
load();
draw();
