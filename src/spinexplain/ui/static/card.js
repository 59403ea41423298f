"use strict";
// What a card does wherever it is shown: choose a piece of evidence, dim its wash, copy its draft.
(() => {
  const copied = async (button) => {
    const text = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      if (!document.execCommand("copy")) return;
    }
    const before = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = before; }, 2000);
  };

  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-show]");
    if (tab) {
      tab.closest(".card").dataset.shown = tab.dataset.show;
      for (const other of tab.parentElement.children) other.setAttribute("aria-pressed", String(other === tab));
    }
    const button = event.target.closest("[data-copies]");
    if (button) copied(button);
  });

  document.addEventListener("input", (event) => {
    const wash = event.target.closest(".opacity");
    if (wash) wash.closest(".card").style.setProperty("--wash", event.target.value);
  });
})();
