"use strict";
// The volume in NiiVue, loaded when it is asked for.
import { getJson } from "./api.js";
import { say } from "./say.js";

const WINDOWS = { bone: [-500, 1300], soft: [-160, 240] };
const dialog = document.getElementById("viewer");
const place = document.getElementById("viewer-place");
const planes = document.getElementById("viewer-planes");
const sides = document.getElementById("viewer-sides");
const nose = document.getElementById("viewer-nose");
const KEPT = "spinexplain.viewer";
let viewer = null;
let loaded = "";

// How a reader looks at planes stays with the browser; it says nothing of any patient.
const recall = () => {
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(KEPT)) ?? {}; } catch { /* nothing kept, or nothing may be */ }
  for (const [key, chooser] of Object.entries({ planes, sides, nose })) {
    if ([...chooser.options].some((option) => option.value === kept[key])) chooser.value = kept[key];
  }
  // Three planes side by side are too small there.
  if (matchMedia("(max-width: 760px)").matches && planes.value === "all") planes.value = "sagittal";
};
const keep = () => {
  try { localStorage.setItem(KEPT, JSON.stringify({ planes: planes.value, sides: sides.value, nose: nose.value })); } catch { /* for this visit only */ }
};
const showPlanes = () => {
  const types = { all: viewer.sliceTypeMultiplanar, sagittal: viewer.sliceTypeSagittal, coronal: viewer.sliceTypeCoronal, axial: viewer.sliceTypeAxial };
  viewer.setSliceType(types[planes.value]);
};
const setSides = () => {
  viewer.opts.sagittalNoseLeft = nose.value === "left";
  viewer.setRadiologicalConvention(sides.value === "radiological");
};

const library = () =>
  new Promise((done, failed) => {
    if (window.niivue) { done(window.niivue); return; }
    const script = document.createElement("script");
    script.src = "/static/vendor/niivue/niivue.umd.js";
    script.addEventListener("load", () => done(window.niivue));
    script.addEventListener("error", () => failed(new Error(say("script.no_viewer"))));
    document.head.append(script);
  });

const freshCanvas = () => {
  const old = document.querySelector("#viewer-canvas canvas");
  const canvas = document.createElement("canvas");
  document.getElementById("viewer-canvas").replaceChildren(canvas);
  if (old && viewer) viewer.gl.getExtension("WEBGL_lose_context")?.loseContext();
  return canvas;
};

const build = async () => {
  const { Niivue, SHOW_RENDER, DRAG_MODE } = await library();
  const canvas = freshCanvas();
  viewer = new Niivue({
    isRadiologicalConvention: sides.value === "radiological",
    sagittalNoseLeft: nose.value === "left",
    showAllOrientationMarkers: true,
    multiplanarShowRender: SHOW_RENDER.NEVER,
    dragAndDropEnabled: false,
    crosshairWidthUnit: "percent",
    crosshairWidth: 0.25,
    crosshairColor: [0.39, 0.72, 0.95, 0.7],
    crosshairGap: 8,
    viewModeHotKey: "",
    clipPlaneHotKey: "",
    cycleClipPlaneHotKey: "",
    backColor: [0, 0, 0, 1],
  });
  await viewer.attachToCanvas(canvas);
  viewer.setMouseEventConfig?.({
    leftButton: { primary: DRAG_MODE.crosshair },
    rightButton: DRAG_MODE.windowing,
    centerButton: DRAG_MODE.pan,
  });
  showPlanes();
  viewer.addEventListener?.("locationChange", (event) => {
    const [x, y, z] = event.detail.mm;
    const value = event.detail.values?.[0]?.value;
    place.textContent = `${x.toFixed(0)}, ${y.toFixed(0)}, ${z.toFixed(0)} mm${value === undefined ? "" : ` · ${Math.round(value)} HU`}`;
  });
  // A lost context never draws again: take a new canvas.
  canvas.addEventListener("webglcontextlost", () => {
    if (canvas.isConnected && dialog.open) { const name = loaded; loaded = ""; build().then(() => show(name)); }
  });
};

const show = async (name) => {
  if (!viewer) await build();
  if (loaded !== name) {
    place.textContent = say("script.loading");
    await viewer.loadVolumes([{ url: new URL(`volumes/${name}.nii.gz`, location.href).href, name: `${name}.nii.gz` }]);
    loaded = name;
    place.textContent = "";
  }
  for (const id of ["spine", "whole"]) {
    document.getElementById(`viewer-${id}`).setAttribute("aria-pressed", String((id === "spine") === (name === "spine")));
  }
};

const setWindow = (name) => {
  if (!viewer?.volumes.length) return;
  [viewer.volumes[0].cal_min, viewer.volumes[0].cal_max] = WINDOWS[name];
  viewer.updateGLVolume();
};

const goTo = (mm) => {
  if (!mm) return;
  viewer.scene.crosshairPos = viewer.mm2frac(mm, 0, true);
  viewer.drawScene();
  viewer.createOnLocationChange(); // a crosshair set from here is not announced by itself
};

const listMaps = async (level) => {
  const chooser = document.getElementById("viewer-map");
  const none = document.createElement("option");
  none.value = "";
  none.textContent = say("script.no_map");
  const names = level ? await getJson(`levels/${level}/heatmaps`) : [];
  const options = names.map(({ name, words }) => {
    const option = document.createElement("option");
    option.value = name;
    option.textContent = words;
    return option;
  });
  chooser.replaceChildren(none, ...options);
};

const overlay = async (name) => {
  while (viewer.volumes.length > 1) viewer.removeVolume(viewer.volumes[1]);
  if (!name) return;
  await viewer.addVolumeFromUrl({ url: new URL(`heatmaps/${name}`, location.href).href, name, colormap: "inferno", opacity: Number(document.getElementById("viewer-opacity").value) });
  const map = viewer.volumes[1];
  map.colormapType = 1; // clear below the lower bound
  map.cal_min = 0.05 * map.global_max;
  map.cal_max = map.global_max;
  viewer.updateGLVolume();
};

export const openViewer = async (level, mm, windowName) => {
  if (!dialog.open) dialog.showModal();
  await show(loaded || "spine");
  setWindow(windowName);
  await listMaps(level);
  goTo(mm);
};
export const windowViewer = setWindow;

recall();
planes.addEventListener("change", () => { keep(); showPlanes(); });
for (const chooser of [sides, nose]) chooser.addEventListener("change", () => { keep(); setSides(); });
document.getElementById("viewer-spine").addEventListener("click", () => show("spine"));
document.getElementById("viewer-whole").addEventListener("click", () => show("ct"));
document.getElementById("viewer-close").addEventListener("click", () => dialog.close());
document.getElementById("viewer-map").addEventListener("change", (event) => overlay(event.target.value));
document.getElementById("viewer-opacity").addEventListener("input", (event) => {
  if (viewer?.volumes.length > 1) viewer.setOpacity(1, Number(event.target.value));
});
