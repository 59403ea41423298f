"use strict";
// Three planes sampled by the server; wheel, slider and keys move each along its normal.

export const setUpPlanes = (view, shown) => {
  const figures = [...view.querySelectorAll(".plane")];

  const draw = (figure) => {
    const slider = figure.querySelector("input");
    const query = new URLSearchParams({ offset_mm: slider.value, window: shown.window });
    figure.querySelector("img").src = `levels/${view.dataset.level}/planes/${figure.dataset.plane}.png?${query}`;
    figure.querySelector("output").textContent = `${slider.value} mm`;
  };

  const scroll = (figure, by) => {
    const slider = figure.querySelector("input");
    slider.value = String(Number(slider.value) + by);
    draw(figure);
  };

  for (const figure of figures) {
    figure.querySelector("input").addEventListener("input", () => draw(figure));
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
    step: (by) => scroll(figures.find((one) => one.dataset.plane === shown.plane) ?? figures[0], by),
  };
};
