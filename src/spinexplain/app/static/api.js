"use strict";
// Requests of the pages. Addresses are relative to the page: /scans/ID/ for that of a scan.
import { say } from "./say.js";

const said = async (answer) => {
  let message = say("script.answered", { status: answer.status });
  try {
    const body = await answer.json();
    message = typeof body.message === "string" ? body.message : message;
  } catch { /* not JSON: the status has to do */ }
  return message;
};

export const getText = async (address) => {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await said(answer));
  return answer.text();
};

export const getJson = async (address) => JSON.parse(await getText(address));

export const postJson = async (address, body) => {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw Object.assign(new Error(await said(answer)), { status: answer.status });
  return answer.json();
};
