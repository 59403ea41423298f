"use strict";
// Six points on the sagittal plane; what follows from them is computed by the server.
import { postJson } from "./api.js";
import { say } from "./say.js";

const SVG = "http://www.w3.org/2000/svg";
const NUDGE_MM = 0.5;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NAMES = ["anterior", "middle", "posterior"];
// As the server's templates write it: a true minus.
const percent = (share) => String(Math.round(100 * share)).replace("-", "\u2212");
const lineOf = (found) => say("script.heights_line", {
  mm: found.heights_mm.join(" / "),
  loss: percent(found.loss),
  low: percent(found.loss_interval[0]),
  high: percent(found.loss_interval[1]),
  number: found.height_loss_class,
  shape: say(`shape.${found.shape}`, {}, found.shape),
  by: say("script.not_kept"),
});

export const setUpHeights = (view, keep) => {
  const layer = view.querySelector(".points");
  const mm = Number(layer.dataset.mm);
  const points = JSON.parse(layer.dataset.points);
  const line = view.querySelector("#heights-line");
  const button = view.querySelector("#keep-heights");
  const lines = [];
  const circles = [];
  let asked = 0;

  const draw = () => {
    points.forEach((ends, i) => {
      ["x1", "y1", "x2", "y2"].forEach((name, k) => lines[i].setAttribute(name, ends[k >> 1][k & 1]));
      ends.forEach(([x, y], k) => {
        circles[2 * i + k].setAttribute("cx", x);
        circles[2 * i + k].setAttribute("cy", y);
      });
    });
  };

  const follow = async () => {
    const mine = ++asked;
    const level = view.dataset.level;
    const found = await postJson(`levels/${level}/heights`, { points });
    if (mine !== asked) return; // a later move is on its way
    line.textContent = lineOf(found);
    view.querySelector("#verdict-line").textContent = found.verdict ? say("script.verdict_line", { words: found.verdict }) : "";
    line.dataset.by = "tried";
    button.disabled = view.dataset.signed === "true";
  };

  const move = (index, x, y) => {
    const box = layer.viewBox.baseVal;
    const at = points[index >> 1][index & 1];
    at[0] = Math.min(Math.max(x, 0), box.width);
    at[1] = Math.min(Math.max(y, 0), box.height);
    draw();
  };

  points.forEach(() => lines.push(layer.appendChild(document.createElementNS(SVG, "line"))));
  points.flat().forEach((_, index) => {
    const circle = layer.appendChild(document.createElementNS(SVG, "circle"));
    circle.setAttribute("r", 2.2);
    circle.setAttribute("tabindex", "0");
    circle.setAttribute("role", "button");
    const height = say(`script.height.${NAMES[index >> 1]}`);
    circle.setAttribute("aria-label", say(index & 1 ? "script.end.caudal" : "script.end.cranial", { height }));
    circle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      circle.focus();
      circle.setPointerCapture(event.pointerId);
    });
    circle.addEventListener("pointermove", (event) => {
      if (!circle.hasPointerCapture(event.pointerId)) return;
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(layer.getScreenCTM().inverse());
      move(index, place.x, place.y);
    });
    circle.addEventListener("pointerup", follow);
    circle.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = points[index >> 1][index & 1];
      move(index, x + (step[0] * NUDGE_MM) / mm, y + (step[1] * NUDGE_MM) / mm);
      follow();
    });
    circles.push(circle);
  });
  draw();

  const toggle = () => {
    layer.toggleAttribute("hidden");
    const shown = !layer.hasAttribute("hidden");
    view.querySelector("#edit-heights").setAttribute("aria-pressed", String(shown));
    if (shown) circles[0].focus({ preventScroll: true });
  };
  view.querySelector("#edit-heights").addEventListener("click", toggle);
  button.addEventListener("click", () => keep({ points }));
  return { toggle };
};
