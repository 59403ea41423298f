"use strict";
// Where each plane is cut by the other two; a click on a plane moves those.
const SVG = "http://www.w3.org/2000/svg";
const GAP = 6; // samples left free where the lines meet
const FAR = 400;
const CUTS = { caudal: "axial", posterior: "coronal", left: "sagittal" }; // axis -> the plane across it

export const setUpCrosshair = (view, shown, offsets, move) => {
  const layers = [...view.querySelectorAll(".cross")].map((svg) => {
    const { origin, ...axes } = JSON.parse(svg.dataset.cross);
    return { svg, origin, axes: Object.entries(axes), plane: svg.closest(".plane").dataset.plane };
  });

  const draw = () => {
    for (const { svg, origin, axes } of layers) {
      svg.toggleAttribute("hidden", !shown.cross);
      const now = offsets();
      const at = axes.reduce((place, [name, step]) => place.map((value, k) => value + now[CUTS[name]] * step[k]), origin);
      svg.replaceChildren();
      for (const [, step] of axes) {
        const length = Math.hypot(...step);
        for (const side of [-1, 1]) {
          const line = svg.appendChild(document.createElementNS(SVG, "line"));
          const ends = [GAP, FAR].map((far) => at.map((value, k) => value + (side * far * step[k]) / length));
          ["x1", "y1", "x2", "y2"].forEach((name, k) => line.setAttribute(name, ends[k >> 1][k & 1]));
        }
      }
    }
  };

  // Solves origin + a first + b second = place.
  const along = ({ svg, origin, axes }, event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const [x, y] = [place.x - origin[0], place.y - origin[1]];
    const [[, first], [, second]] = axes;
    const area = first[0] * second[1] - first[1] * second[0];
    return [(x * second[1] - y * second[0]) / area, (y * first[0] - x * first[1]) / area];
  };

  for (const layer of layers) {
    layer.svg.closest(".pane").addEventListener("click", (event) => {
      if (event.target.closest("circle")) return;
      shown.cross = true;
      layer.svg.removeAttribute("hidden"); // only what is drawn has a place on the screen
      const found = along(layer, event);
      layer.axes.forEach(([name], k) => move(CUTS[name], found[k]));
      draw();
    });
  }
  draw();
  return { draw, toggle: () => { shown.cross = !shown.cross; draw(); } };
};
