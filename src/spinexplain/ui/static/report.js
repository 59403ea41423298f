"use strict";
// The page reads without this script; it adds moving along the spine, hiding and dimming.
(() => {
  const root = document.documentElement;
  const marks = [...document.querySelectorAll(".mark")];
  let current = -1;

  const select = (anchor, scroll) => {
    current = marks.findIndex((mark) => mark.dataset.anchor === anchor);
    if (current < 0) return;
    for (const element of document.querySelectorAll(".selected")) element.classList.remove("selected");
    for (const element of document.querySelectorAll("[data-anchor]")) {
      if (element.dataset.anchor === anchor) element.classList.add("selected");
    }
    for (const mark of marks) mark.removeAttribute("aria-current");
    marks[current].setAttribute("aria-current", "true");
    const target = document.getElementById(anchor);
    for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    target.classList.add("selected");
    if (scroll) {
      target.scrollIntoView({ block: "start" });
      target.focus({ preventScroll: true });
      history.replaceState(null, "", "#" + anchor);
    }
  };

  const hideOverlays = () => {
    const bare = document.body.classList.toggle("bare");
    document.getElementById("overlays").setAttribute("aria-pressed", String(!bare));
  };

  const switchTheme = () => {
    const shown = getComputedStyle(root).colorScheme;
    root.dataset.theme = shown === "dark" ? "light" : "dark";
  };

  document.addEventListener("click", (event) => {
    const place = event.target.closest("a[href^='#level-'], tr[data-anchor]");
    const anchor = place && (place.dataset.anchor || place.getAttribute("href").slice(1));
    // A draft's phrases lead to places inside a card, which the browser finds by itself.
    if (marks.some((mark) => mark.dataset.anchor === anchor)) {
      event.preventDefault();
      select(anchor, true);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    if (event.key === "h") hideOverlays();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !marks.length) return;
    event.preventDefault();
    const next = current < 0 ? (step > 0 ? 0 : marks.length - 1) : current + step;
    select(marks[Math.min(Math.max(next, 0), marks.length - 1)].dataset.anchor, true);
  });

  document.getElementById("overlays").addEventListener("click", hideOverlays);
  document.getElementById("theme").addEventListener("click", switchTheme);
  window.addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details:not(.thumb)")) fold.open = true;
  });
  if (location.hash.startsWith("#level-")) select(decodeURIComponent(location.hash.slice(1)), false);
})();
