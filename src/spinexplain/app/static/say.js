"use strict";
// The catalogue's sentences for scripts; the page brings them along.
const texts = JSON.parse(document.body.dataset.texts);

// A key that is missing shows the raw word, as the templates do.
export const say = (key, values = {}, raw = key) =>
  (texts[key] ?? raw).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
