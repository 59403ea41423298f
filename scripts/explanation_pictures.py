"""Draw the pictures of docs/concepts/explanation-metrics.md from one drawn fracture.

``python scripts/explanation_pictures.py docs/images/explanations``
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from spinexplain.analysis.explanations.bench import CropFrame
from spinexplain.analysis.explanations.curves import deletion_curves, reference_inputs
from spinexplain.analysis.explanations.methods import method_by_name
from spinexplain.analysis.explanations.pieces import loaded_grader
from spinexplain.analysis.explanations.targets import fracture_probability
from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.evaluate.explanations.faithfulness import blurred, deleted, step_masks
from spinexplain.evaluate.explanations.parts import body_frame, part_regions
from spinexplain.evaluate.explanations.placement import mask_shares
from spinexplain.evaluate.explanations.priors import gaussian_prior, mean_evidence_priors
from spinexplain.explainers.answers import input_logits
from spinexplain.types import Patch, Vertebra
from spinexplain.ui.pictures import wash_rgba, window_hu
from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT

PRESET, SEED, TRIED = "placement", 90003, 40
MODEL = "protoverse-phantom"
CUT = slice(16, 128)


@dataclass(frozen=True)
class Case:
    """One fracture with its masks, its twin and a map of the shipped prototypes."""

    hu: np.ndarray
    twin: np.ndarray
    evidence: np.ndarray
    body: np.ndarray
    labels: np.ndarray
    heatmap: np.ndarray
    twin_map: np.ndarray
    patch: Patch
    twin_patch: Patch


def case() -> tuple[Case, list[np.ndarray], list[np.ndarray]]:
    """Take a superior fracture that fills the view well; others lend their evidence."""
    sheets = [s for s in phantom_sheets(PRESET, SEED, TRIED, twins=True) if s.twin_hu is not None]
    bodies = [s.body[CUT, CUT] > 0 for s in sheets]
    masks = [s.evidence[CUT, CUT] > 0 for s in sheets]
    clear = [
        k
        for k, (body, mask) in enumerate(zip(bodies, masks, strict=True))
        if mask.sum() > 150 and np.ptp(mask_shares(mask, _halves(body))) > 0.8 * mask.sum()
    ]
    best = max(clear, key=lambda k: int(masks[k].sum()))
    sheet = sheets[best]
    patch, twin = (_patch(sheet.level, hu[CUT, CUT]) for hu in (sheet.hu, sheet.twin_hu))
    grader = loaded_grader(MODEL)
    method = method_by_name("prototypes", grader)
    found = Case(
        hu=patch.array,
        twin=twin.array,
        evidence=masks[best],
        body=bodies[best],
        labels=sheet.labels[CUT, CUT],
        heatmap=method(grader, patch, f"G{sheet.grade}").heatmap,
        twin_map=method(grader, twin, f"G{sheet.grade}").heatmap,
        patch=patch,
        twin_patch=twin,
    )
    order = [best] + [k for k in range(len(sheets)) if k != best]
    return found, [masks[k] for k in order], [bodies[k] for k in order]


def _halves(body: np.ndarray) -> np.ndarray:
    return part_regions(body_frame(body), body.shape, "endplate")


def _patch(level: str, hu: np.ndarray) -> Patch:
    vertebra = Vertebra(VertebraLevel(level), (55.5, 55.5, 0.0))
    return Patch(vertebra, np.asarray(hu, np.float32), CropFrame((112, 112)))


@contextmanager
def panes(path: Path, count: int) -> Iterator[list[Axes]]:
    """Yield panes beside each other, without axes, and store them."""
    with drawn(path, 1.75 * count, 1.95) as figure:
        found = figure.subplots(1, count, squeeze=False)[0]
        for pane in found:
            pane.set_axis_off()
        yield list(found)


def show(pane: Axes, hu: np.ndarray, title: str, heatmap: np.ndarray | None = None) -> None:
    """Draw a crop, and a map over it."""
    pane.imshow(window_hu(hu), cmap="gray", vmin=0, vmax=255)
    if heatmap is not None:
        pane.imshow(wash_rgba(heatmap, float(heatmap.max())))
    pane.set_title(title, fontsize=8)


def outline(pane: Axes, mask: np.ndarray, color: str, style: str = "-") -> None:
    """Draw the border of a mask."""
    pane.contour(mask.astype(float), [0.5], colors=[color], linewidths=1.0, linestyles=[style])


def placement(one: Case, out: Path) -> None:
    """Endplates and thirds of the vertebra's own frame, and what the map chooses."""
    frame = body_frame(one.body)
    with panes(out / "placement.png", 3) as (left, middle, right):
        for pane, question in ((left, "endplate"), (middle, "third")):
            show(pane, one.hu, f"which {question}?")
            for region in part_regions(frame, one.hu.shape, question):
                outline(pane, region, LIGHT["warning-line"])
        show(right, one.hu, "where the map lies", one.heatmap)
        outline(right, one.evidence, "white", "--")


def localization(one: Case, out: Path) -> None:
    """The highest point, the top 2 %, and as many samples as the evidence has."""
    flat = np.sort(one.heatmap.ravel())[::-1]
    with panes(out / "localization.png", 4) as (point, top, same, energy):
        show(point, one.hu, "the highest point")
        row, column = np.unravel_index(one.heatmap.argmax(), one.heatmap.shape)
        point.plot([column], [row], "x", color=LIGHT["warning-line"], ms=8, mew=2)
        show(top, one.hu, "the top 2 %")
        outline(top, one.heatmap >= flat[round(0.02 * flat.size)], LIGHT["warning-line"])
        show(same, one.hu, "as much as the evidence")
        outline(same, one.heatmap >= flat[int(one.evidence.sum())], LIGHT["warning-line"])
        show(energy, one.hu, "all of it", one.heatmap)
        for pane in (point, top, same, energy):
            outline(pane, one.evidence, "white", "--")


def skill(one: Case, masks: list[np.ndarray], bodies: list[np.ndarray], out: Path) -> None:
    """Maps that never saw the image."""
    frames = [body_frame(body) for body in bodies]
    subjects = np.arange(len(masks)).astype(str)
    mean = mean_evidence_priors(np.stack(masks), frames, subjects)[0]
    bump = gaussian_prior(np.array([55.5, 55.5]), one.hu.shape, 10.0)
    with panes(out / "skill.png", 3) as (seen, blind, gauss):
        show(seen, one.hu, "a map of this image", one.heatmap)
        show(blind, one.hu, "the mean of other fractures", mean)
        show(gauss, one.hu, "a bump on the centroid", bump)
        for pane in (seen, blind, gauss):
            outline(pane, one.evidence, "white", "--")


def twin(one: Case, out: Path) -> None:
    """The same spine with and without its fracture, on one scale."""
    top = float(max(one.heatmap.max(), one.twin_map.max()))
    with panes(out / "twin.png", 2) as (left, right):
        for pane, hu, heatmap, title in (
            (left, one.hu, one.heatmap, "with the fracture"),
            (right, one.twin, one.twin_map, "its healthy twin"),
        ):
            show(pane, hu, title)
            pane.imshow(wash_rgba(heatmap, top))


def faithfulness(one: Case, out: Path) -> None:
    """What is deleted first, and the curve of the fracture's probability."""
    grader = loaded_grader(MODEL)
    masks = step_masks(one.heatmap, np.array([0.02, 0.1, 0.3]))
    curves = deletion_curves(
        lambda x: fracture_probability(input_logits(grader, x), grader.task),
        reference_inputs(grader, one.patch, one.twin_patch),
        one.heatmap,
        16,
        0,
    )[1]
    with drawn(out / "faithfulness.png", 7.0, 1.95) as figure:
        found = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1.4])
        for pane, mask in zip(found, masks, strict=False):
            pane.set_axis_off()
            show(pane, deleted(one.hu, blurred(one.hu), mask), f"{mask.mean():.0%} deleted")
        side = np.linspace(0, 1, curves.shape[1])
        found[3].plot(side, curves[0], color=LIGHT["accent"], label="deletion")
        found[3].plot(side, curves[1], color=LIGHT["muted"], label="insertion")
        found[3].set(ylim=(-0.02, 1.02), xlabel="side of the area", title="P(fracture)")
        found[3].legend(fontsize=7, frameon=False)


def sanity(one: Case, out: Path) -> None:
    """The map of a model whose weights were shuffled."""
    from spinexplain.explainers.randomize import with_random_weights

    grader = loaded_grader(MODEL)
    random = with_random_weights(grader, 0)
    method = method_by_name("prototypes", grader)
    with panes(out / "sanity.png", 2) as (left, right):
        show(left, one.hu, "the trained model", one.heatmap)
        other = method(random, one.patch, "G2").heatmap
        show(right, one.hu, "the same, weights shuffled", other)


def regions(one: Case, out: Path) -> None:
    """Body, vertebra and neighbors."""
    own = np.bincount(one.labels[one.body]).argmax()
    with panes(out / "regions.png", 1) as (pane,):
        show(pane, one.hu, "body, vertebra, neighbors")
        outline(pane, (one.labels > 0) & (one.labels != own), LIGHT["muted"])
        outline(pane, one.labels == own, LIGHT["accent"])
        outline(pane, one.body, LIGHT["warning-line"])


def prototypes(one: Case, out: Path) -> None:
    """Where each prototype of one class points."""
    from spinexplain.explainers.prototypes import explain_prototypes

    found = explain_prototypes(loaded_grader(MODEL), one.patch, "G2")
    own = sorted((e for e in found.evidence if e.class_name == "G2"), key=lambda e: e.name)
    with panes(out / "prototypes.png", len(own)) as shown:
        for pane, item in zip(shown, own, strict=True):
            show(pane, one.hu, item.name, item.heatmap)


def main(out: Path) -> None:
    """Draw all pictures into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    one, masks, bodies = case()
    for draw in (placement, localization, twin, faithfulness, sanity, regions, prototypes):
        draw(one, out)
    skill(one, masks, bodies, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
