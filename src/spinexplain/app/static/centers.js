"use strict";
// Body centers are clicked; levels count on, and a ring shows where the next one should be.
(async () => {
  const SVG = "http://www.w3.org/2000/svg";
  const NAMES = [...Array.from({ length: 12 }, (_, i) => `T${i + 1}`), ...Array.from({ length: 5 }, (_, i) => `L${i + 1}`)];
  const TYPICAL_MM = 28;
  const slice = document.getElementById("slice");
  const marks = document.getElementById("marks");
  const x = document.getElementById("x");
  const says = document.getElementById("says");
  const first = document.getElementById("first");
  const places = await (await fetch("slices")).json();
  const clicked = [];
  marks.setAttribute("viewBox", `0 0 ${places.columns} ${places.rows}`);
  [x.min, x.max] = places.x_mm.map(Math.round);
  x.value = String(Math.round((places.x_mm[0] + places.x_mm[1]) / 2));

  const level = (index) => NAMES[NAMES.indexOf(first.value) + index];
  const toPixel = ([, y, z]) => [places.first_mm[1] - y + 0.5, places.first_mm[2] - z + 0.5];
  const expected = () => {
    if (!clicked.length) return null;
    const now = clicked[clicked.length - 1];
    const before = clicked[clicked.length - 2];
    return before ? now.map((value, i) => 2 * value - before[i]) : [now[0], now[1], now[2] - TYPICAL_MM];
  };
  const ring = (mm, name, kind) => {
    const [cx, cy] = toPixel(mm);
    const circle = marks.appendChild(document.createElementNS(SVG, "circle"));
    for (const [key, value] of Object.entries({ cx, cy, r: 5, class: kind })) circle.setAttribute(key, value);
    const text = marks.appendChild(document.createElementNS(SVG, "text"));
    text.setAttribute("x", cx + 8);
    text.setAttribute("y", cy + 4);
    text.textContent = name;
  };
  const draw = () => {
    marks.replaceChildren();
    clicked.forEach((mm, index) => ring(mm, level(index), "set"));
    const next = expected();
    if (next && level(clicked.length)) ring(next, `${level(clicked.length)}?`, "ghost");
    document.getElementById("done").disabled = clicked.length < 2;
    first.disabled = clicked.length > 0;
  };
  const load = () => {
    slice.src = `slices/sagittal.png?x_mm=${x.value}`;
    document.getElementById("x-said").textContent = `${x.value} mm`;
  };
  x.addEventListener("input", load);
  slice.addEventListener("click", (event) => {
    if (!level(clicked.length)) { says.textContent = "There is no level below this one."; return; }
    const box = slice.getBoundingClientRect();
    const column = ((event.clientX - box.left) / box.width) * places.columns - 0.5;
    const row = ((event.clientY - box.top) / box.height) * places.rows - 0.5;
    clicked.push([Number(x.value), places.first_mm[1] - column, places.first_mm[2] - row]);
    draw();
  });
  document.getElementById("take-back").addEventListener("click", () => { clicked.pop(); draw(); });
  document.getElementById("done").addEventListener("click", async () => {
    const centers = clicked.map((center_mm, index) => ({ level: level(index), center_mm }));
    const answer = await fetch("centers", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ centers }) });
    if (answer.ok) location.reload();
    else says.textContent = (await answer.json()).message ?? `The server answered ${answer.status}.`;
  });
  load();
  draw();
})();
