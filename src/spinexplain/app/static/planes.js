"use strict";
// Three planes sampled by the server; wheel, slider and keys move each along its normal.
import { setUpCrosshair } from "./crosshair.js";

export const setUpPlanes = (view, shown) => {
  const figures = [...view.querySelectorAll(".plane")];
  const named = new Map(figures.map((figure) => [figure.dataset.plane, figure]));

  const draw = (figure) => {
    const slider = figure.querySelector("input");
    const query = new URLSearchParams({ offset_mm: slider.value, window: shown.window });
    figure.querySelector("img").src = `levels/${view.dataset.level}/planes/${figure.dataset.plane}.png?${query}`;
    figure.querySelector("output").textContent = `${slider.value} mm`;
  };
  const offsets = () => Object.fromEntries([...named].map(([plane, figure]) => [plane, Number(figure.querySelector("input").value)]));
  const moveTo = (plane, millimeters) => {
    const figure = named.get(plane);
    figure.querySelector("input").value = String(Math.round(millimeters));
    draw(figure);
  };
  const crosshair = setUpCrosshair(view, shown, offsets, moveTo);
  const scroll = (figure, by) => {
    moveTo(figure.dataset.plane, Number(figure.querySelector("input").value) + by);
    crosshair.draw();
  };

  for (const figure of figures) {
    figure.querySelector("input").addEventListener("input", () => { draw(figure); crosshair.draw(); });
    figure.querySelector(".pane").addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        scroll(figure, Math.sign(event.deltaY));
      },
      { passive: false },
    );
    figure.addEventListener("pointerenter", () => { shown.plane = figure.dataset.plane; });
  }
  if (shown.window !== "bone") figures.forEach(draw);
  return {
    redraw: () => figures.forEach(draw),
    step: (by) => scroll(named.get(shown.plane) ?? figures[0], by),
    cross: crosshair.toggle,
  };
};
