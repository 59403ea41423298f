"use strict";
// The volume in NiiVue, loaded when it is asked for.
import { getJson } from "./api.js";

const WINDOWS = { bone: [-500, 1300], soft: [-160, 240] };
const dialog = document.getElementById("viewer");
const place = document.getElementById("viewer-place");
let viewer = null;
let loaded = "";

const library = () =>
  new Promise((done, failed) => {
    if (window.niivue) { done(window.niivue); return; }
    const script = document.createElement("script");
    script.src = "/static/vendor/niivue/niivue.umd.js";
    script.addEventListener("load", () => done(window.niivue));
    script.addEventListener("error", () => failed(new Error("The viewer could not be loaded.")));
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
    isRadiologicalConvention: true,
    sagittalNoseLeft: true,
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
  if (matchMedia("(max-width: 760px)").matches) viewer.setSliceType(viewer.sliceTypeSagittal);
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
    place.textContent = "loading";
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
  none.textContent = "no evidence map";
  const names = level ? await getJson(`levels/${level}/heatmaps`) : [];
  const options = names.map((name) => {
    const option = document.createElement("option");
    option.value = name;
    option.textContent = name.replace(/\.nii\.gz$/, "").replace(/_/g, " ");
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

document.getElementById("viewer-spine").addEventListener("click", () => show("spine"));
document.getElementById("viewer-whole").addEventListener("click", () => show("ct"));
document.getElementById("viewer-close").addEventListener("click", () => dialog.close());
document.getElementById("viewer-map").addEventListener("change", (event) => overlay(event.target.value));
document.getElementById("viewer-opacity").addEventListener("input", (event) => {
  if (viewer?.volumes.length > 1) viewer.setOpacity(1, Number(event.target.value));
});
