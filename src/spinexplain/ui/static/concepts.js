"use strict";
// The page reads without this script; it adds naming units and taking the names away as a file.
(() => {
  const page = document.body;
  const root = document.documentElement;
  const units = [...document.querySelectorAll(".unit")];
  const rater = document.getElementById("rater");
  const status = document.getElementById("status");
  const kept = `spinexplain names ${page.dataset.key}`;

  const verdicts = { yes: true, no: false, open: null };
  const words = (unit) => {
    const form = unit.querySelector("form.naming");
    return {
      unit: Number(unit.dataset.unit),
      name: form.elements.name.value.trim(),
      meaningful: verdicts[form.elements.meaningful.value],
      note: form.elements.note.value.trim(),
    };
  };
  const said = (entry) => Boolean(entry.name || entry.note || entry.meaningful !== null);

  const content = () => ({
    schema: page.dataset.schema,
    key: page.dataset.key,
    model: page.dataset.model,
    layer: page.dataset.layer,
    rater: rater.value.trim(),
    names: units.map(words).filter(said),
  });

  const count = () => {
    let named = 0;
    for (const unit of units) {
      const done = said(words(unit));
      unit.classList.toggle("rated", done);
      named += done;
    }
    document.getElementById("named").textContent = String(named);
  };

  const fill = (entries) => {
    for (const entry of entries) {
      const unit = units.find((one) => one.dataset.unit === String(entry.unit));
      if (!unit) continue;
      const form = unit.querySelector("form.naming");
      form.elements.name.value = entry.name || "";
      form.elements.note.value = entry.note || "";
      form.elements.meaningful.value = Object.keys(verdicts).find((key) => verdicts[key] === (entry.meaningful ?? null));
    }
    count();
  };

  // A closed tab loses nothing; a browser that forbids storing still exports.
  const keep = () => {
    try { localStorage.setItem(kept, JSON.stringify(content())); } catch { /* not allowed here */ }
  };
  const recall = () => {
    try {
      const stored = JSON.parse(localStorage.getItem(kept) || "null");
      if (stored) { rater.value = stored.rater; fill(stored.names); }
    } catch { /* nothing to recall */ }
  };

  document.getElementById("export").addEventListener("click", () => {
    const names = content();
    if (!names.rater) { status.textContent = status.dataset.needed; rater.focus(); return; }
    status.textContent = "";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(names, null, 1) + "\n"], { type: "application/json" }));
    link.download = `names-${names.rater.replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase()}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  });

  document.getElementById("import").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    try {
      const names = JSON.parse(await file.text());
      if (names.key !== page.dataset.key) throw new Error(`${file.name}: ≠ ${page.dataset.model}, ${page.dataset.layer}`);
      rater.value = names.rater;
      fill(names.names);
      keep();
      status.textContent = "";
    } catch (error) {
      status.textContent = error.message;
    }
  });

  document.addEventListener("input", () => { count(); keep(); });
  document.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const suggestion = event.target.closest(".suggest");
    if (!suggestion) return;
    const field = suggestion.closest("form").elements.name;
    field.value = suggestion.dataset.words;
    field.focus();
    count();
    keep();
  });

  const hideOverlays = () => {
    const bare = page.classList.toggle("bare");
    document.getElementById("overlays").setAttribute("aria-pressed", String(!bare));
  };
  document.getElementById("overlays").addEventListener("click", hideOverlays);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    if (event.key === "h") hideOverlays();
  });
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = getComputedStyle(root).colorScheme === "dark" ? "light" : "dark";
  });
  recall();
  count();
})();
