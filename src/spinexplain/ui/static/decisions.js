"use strict";
// A page with prototypes or units reads without this script; it adds deciding about them and painting.
(() => {
  const bar = document.getElementById("decide");
  if (!bar) return;
  const forms = [...document.querySelectorAll("form.decide")];
  const layers = [...document.querySelectorAll("svg.paint")];
  const status = document.getElementById("decide-status");
  const reader = document.getElementById("decide-reader");
  const kept = `spinexplain decisions ${bar.dataset.weights} ${bar.dataset.layer}`;
  const store = bar.dataset.store;
  const layerOf = (form) => layers.find((one) => one.dataset.prototype === form.dataset.prototype);
  const formOf = (layer) => forms.find((one) => one.dataset.prototype === layer.dataset.prototype);
  const painted = new Map(layers.map((layer) => [layer, new Set()]));
  const when = new Map();

  const regionOf = (layer) => {
    const { rows, columns } = layer.dataset;
    const cells = painted.get(layer);
    return Array.from({ length: Number(rows) }, (_, row) =>
      Array.from({ length: Number(columns) }, (_, column) => (cells.has(row * columns + column) ? "1" : "0")).join(""));
  };

  const draw = (layer, cursor) => {
    const columns = Number(layer.dataset.columns);
    const marks = [...painted.get(layer)].map((cell) => square(cell % columns, Math.floor(cell / columns), "painted"));
    if (cursor !== undefined) marks.push(square(cursor % columns, Math.floor(cursor / columns), "cursor"));
    layer.replaceChildren(...marks);
  };
  const square = (x, y, kind) => {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ x, y, width: 1, height: 1, class: kind })) mark.setAttribute(name, value);
    return mark;
  };

  const decisionOf = (form) => {
    const choice = form.elements.choice.value;
    if (!choice) return null;
    const found = {
      [bar.dataset.of]: Number(form.dataset.prototype),
      name: form.dataset.name,
      choice,
      reason: choice === "not meaningful" ? form.elements.reason.value : null,
      comment: form.elements.comment.value.trim(),
      at: when.get(form) || "",
    };
    if (bar.dataset.of === "prototype") found.region = choice === "never this region" ? regionOf(layerOf(form)) : [];
    return found;
  };
  const complete = (one) => one && (one.choice !== "never this region" || one.region.some((row) => row.includes("1")));

  const content = () => ({
    schema: bar.dataset.schema,
    model: { name: bar.dataset.name, version: bar.dataset.version, weights_sha256: bar.dataset.weights },
    ...(bar.dataset.layer ? { layer: bar.dataset.layer } : {}),
    reader: reader ? reader.value.trim() : "",
    decisions: forms.map(decisionOf).filter(complete),
  });

  const show = () => {
    let decided = 0;
    for (const form of forms) {
      const one = decisionOf(form);
      form.dataset.choice = form.elements.choice.value;
      form.classList.toggle("decided", Boolean(complete(one)));
      decided += Boolean(complete(one));
      const layer = layerOf(form);
      if (layer) layer.classList.toggle("open", form.elements.choice.value === "never this region");
    }
    document.getElementById("decided").textContent = String(decided);
  };

  const fill = (decisions) => {
    for (const one of decisions) {
      const form = forms.find((each) => each.dataset.prototype === String(one[bar.dataset.of]));
      if (!form || form.dataset.name !== one.name) continue;
      form.elements.choice.value = one.choice;
      if (one.reason) form.elements.reason.value = one.reason;
      form.elements.comment.value = one.comment || "";
      when.set(form, one.at || "");
      const layer = layerOf(form);
      if (layer && one.region) {
        const columns = Number(layer.dataset.columns);
        const cells = one.region.flatMap((row, y) => [...row].flatMap((mark, x) => (mark === "1" ? [y * columns + x] : [])));
        painted.set(layer, new Set(cells));
        draw(layer);
      }
    }
    show();
  };

  // A closed tab loses nothing: the browser keeps the page's decisions, the server each of its own.
  const keepHere = () => {
    try { localStorage.setItem(kept, JSON.stringify(content())); } catch { /* not allowed here */ }
  };
  const send = async (form) => {
    const one = decisionOf(form) || { prototype: Number(form.dataset.prototype), name: form.dataset.name, choice: "" };
    if (one.choice && !complete(one)) return;
    const answer = await fetch(store, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(one),
    });
    const said = answer.ok ? bar.dataset.stored : (await answer.json().catch(() => ({}))).message;
    status.textContent = said || `${answer.status}`;
  };
  const changed = (form) => {
    when.set(form, new Date().toISOString());
    show();
    if (store) send(form).catch((error) => { status.textContent = error.message; });
    else keepHere();
  };

  for (const form of forms) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => changed(form));
    const clear = form.querySelector(".clear");
    if (clear) clear.addEventListener("click", () => {
      painted.set(layerOf(form), new Set());
      draw(layerOf(form));
      changed(form);
    });
  }

  for (const layer of layers) {
    let cursor = 0;
    let paints = null;
    const columns = Number(layer.dataset.columns);
    const rows = Number(layer.dataset.rows);
    const under = (event) => {
      const box = layer.getBoundingClientRect();
      const x = Math.floor(((event.clientX - box.left) / box.width) * columns);
      const y = Math.floor(((event.clientY - box.top) / box.height) * rows);
      return x < 0 || y < 0 || x >= columns || y >= rows ? null : y * columns + x;
    };
    const stroke = (event) => {
      const cell = under(event);
      if (cell === null) return;
      if (paints) painted.get(layer).add(cell); else painted.get(layer).delete(cell);
      cursor = cell;
      draw(layer);
    };
    layer.addEventListener("pointerdown", (event) => {
      if (!layer.classList.contains("open")) return;
      event.preventDefault();
      layer.setPointerCapture(event.pointerId);
      const cell = under(event);
      paints = cell === null || !painted.get(layer).has(cell);
      stroke(event);
    });
    layer.addEventListener("pointermove", (event) => { if (paints !== null) stroke(event); });
    const lift = () => {
      if (paints === null) return;
      paints = null;
      changed(formOf(layer));
    };
    layer.addEventListener("pointerup", lift);
    layer.addEventListener("pointercancel", lift);
    layer.addEventListener("keydown", (event) => {
      if (!layer.classList.contains("open")) return;
      const step = { ArrowUp: -columns, ArrowDown: columns, ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step !== undefined) {
        const next = cursor + step;
        if (next >= 0 && next < rows * columns) cursor = next;
      } else if (event.key === " " || event.key === "Enter") {
        const cells = painted.get(layer);
        if (cells.has(cursor)) cells.delete(cursor); else cells.add(cursor);
        changed(formOf(layer));
      } else return;
      event.preventDefault();
      draw(layer, cursor);
    });
    layer.addEventListener("blur", () => draw(layer));
  }

  if (store) {
    fetch(`${store}.json`).then((answer) => answer.json()).then((known) => fill(known.decisions))
      .catch((error) => { status.textContent = error.message; });
  } else {
    reader.addEventListener("change", keepHere);
    document.getElementById("decide-save").addEventListener("click", () => {
      const made = content();
      if (!made.reader) { status.textContent = bar.dataset.needed; reader.focus(); return; }
      status.textContent = "";
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(made, null, 1) + "\n"], { type: "application/json" }));
      link.download = `${bar.dataset.of === "unit" ? "unit-" : ""}decisions-${made.reader.replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase()}.json`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    document.getElementById("decide-load").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      try {
        const known = JSON.parse(await file.text());
        if (known.schema !== bar.dataset.schema || known.model.weights_sha256 !== bar.dataset.weights) throw new Error(bar.dataset.other);
        reader.value = known.reader;
        fill(known.decisions);
        keepHere();
        status.textContent = "";
      } catch (error) {
        status.textContent = error.message;
      }
    });
    try {
      const known = JSON.parse(localStorage.getItem(kept) || "null");
      if (known) { reader.value = known.reader; fill(known.decisions); }
    } catch { /* nothing to recall */ }
  }
  bar.hidden = false;
  show();
})();
