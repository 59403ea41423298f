"use strict";
// Sends scans and shows how far the background jobs are.
(() => {
  const rows = new Map([...document.querySelectorAll("[data-scan]")].map((row) => [row.dataset.scan, row]));
  const pending = [...rows.values()].some((row) => ["queued", "grading"].includes(row.dataset.state));

  const watch = () => {
    const source = new EventSource("/progress");
    source.addEventListener("stages", (event) => {
      for (const [id, [state, stage]] of Object.entries(JSON.parse(event.data))) {
        const row = rows.get(id);
        if (!row) continue;
        const line = row.querySelector(".stage");
        if (line && ["queued", "grading"].includes(state)) line.textContent = `${state} ${stage}`;
        else if (row.dataset.state !== state) location.reload();
      }
    });
    source.addEventListener("done", () => source.close());
  };
  if (pending) watch();

  const form = document.getElementById("upload");
  if (!form) return;
  const says = document.getElementById("upload-says");
  const checked = async (answer) => {
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.message ?? `The server answered ${answer.status}.`);
    return body;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const { id } = await checked(await fetch("/scans", { method: "POST", body: new URLSearchParams({ name: data.get("name") }) }));
      for (const kind of ["ct", "labels", "centroids"]) {
        const file = data.get(kind);
        if (!file.size) continue;
        says.textContent = `sending ${kind}`;
        await checked(await fetch(`/scans/${id}/files/${kind}`, { method: "PUT", body: file }));
      }
      await checked(await fetch(`/scans/${id}/queue`, { method: "POST" }));
      location.assign(`/scans/${id}/`);
    } catch (error) {
      says.textContent = error.message;
      button.disabled = false;
    }
  });
})();
