"use strict";
// Sends scans and shows how far the background jobs are.
import { say } from "./say.js";

const PENDING = ["queued", "grading"];
const rows = new Map([...document.querySelectorAll("[data-scan]")].map((row) => [row.dataset.scan, row]));

const watch = () => {
  const source = new EventSource("/progress");
  source.addEventListener("stages", (event) => {
    for (const [id, [state, stage]] of Object.entries(JSON.parse(event.data))) {
      const row = rows.get(id);
      if (!row) continue;
      const line = row.querySelector(".stage");
      if (line && PENDING.includes(state)) line.textContent = `${say(`state.${state}`, {}, state)} ${say(`stage.${stage}`, {}, stage)}`;
      else if (row.dataset.state !== state) location.reload();
    }
  });
  source.addEventListener("done", () => source.close());
};
if ([...rows.values()].some((row) => PENDING.includes(row.dataset.state))) watch();

const form = document.getElementById("upload");
const says = document.getElementById("upload-says");
let begun = null; // the scan of a sending that was refused: what is sent next belongs to it

// fetch does not say how much of a body has gone out; this does.
const sent = (method, address, body, progress = () => {}) =>
  new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener("error", () => failed(new Error(say("script.answered", { status: 0 }))));
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* not JSON: the status has to do */ }
      if (request.status < 300) done(answer);
      else failed(new Error(answer.message ?? say("script.answered", { status: request.status })));
    });
    request.send(body);
  });

const described = (data) => {
  const said = ["name", "patient", "study_date"].map((key) => [key, data.get(key)]);
  return new URLSearchParams(said.filter(([, text]) => text));
};

const send = async (data) => {
  begun ??= (await sent("POST", "/scans", described(data))).id;
  for (const kind of ["ct", "labels", "centroids"]) {
    const file = data.get(kind);
    if (!file.size) continue;
    const progress = (share) => { says.textContent = say("script.sending", { kind: say(`script.kind.${kind}`), percent: Math.round(100 * share) }); };
    progress(0);
    await sent("PUT", `/scans/${begun}/files/${kind}`, file, progress);
  }
  await sent("POST", `/scans/${begun}/queue`);
  location.assign(`/scans/${begun}/`);
};

document.getElementById("again")?.addEventListener("click", async () => {
  try {
    await sent("POST", "queue");
    location.reload();
  } catch (error) {
    document.getElementById("again-says").textContent = error.message;
  }
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await send(new FormData(form));
  } catch (error) {
    says.textContent = error.message;
    button.disabled = false;
  }
});
