"use strict";
// The page reads without this script; it adds layers that come and go, and the theme.
(() => {
  const root = document.documentElement;
  document.addEventListener("click", (event) => {
    const layer = event.target.closest("[data-layer]");
    if (layer) {
      const shown = document.body.classList.toggle("show-" + layer.dataset.layer);
      layer.setAttribute("aria-pressed", String(shown));
    }
    const row = event.target.closest("tr[data-card]");
    if (row && !event.target.closest("a")) location.hash = row.dataset.card;
  });
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = getComputedStyle(root).colorScheme === "dark" ? "light" : "dark";
  });
})();
