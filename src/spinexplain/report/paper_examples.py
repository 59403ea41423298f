"""Figures 4 to 6: prototypes side by side, and held-out vertebrae explained, from kept folds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.errors import ConfigError
from spinexplain.findings.scan import Comparison
from spinexplain.report.side_by_side import write_comparison
from spinexplain.types import Patch, Vertebra
from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT, PICTURE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.stored import Stored
    from spinexplain.models.grader import Grader
    from spinexplain.types import Exemplar

OUTLINE = "#ffd166"
SIDE_INCHES = 0.95
EXAMPLES = 2


def bundle_of(item: Stored, entry: str, fold: int = 0) -> Path | None:
    """Return the model that an entry's fold left, if it was kept beside the results."""
    folder = item.path.parent / "runs" / entry / f"fold-{fold}" / "bundle"
    return folder if (folder / "manifest.json").is_file() else None


def draw_prototypes(item: Stored, path: Path) -> bool:
    """Draw figure 4: the first fold's prototypes of every entry, a row each; say if there are any.

    Pictures are the training crops that the prototypes were projected on, with the outline of
    half of what each prototype's similarity rises above its median there.
    """
    from spinexplain.models.bundle.store import load_grader

    rows: list[tuple[str, tuple[Exemplar, ...]]] = []
    for entry in item.content["entries"]:
        bundle = bundle_of(item, entry["name"])
        if entry["prototypes"] is not None and bundle is not None:
            rows.append((entry["name"], tuple(load_grader(bundle, runtime="torch").exemplars)))
    if not rows:
        return False
    columns = max(len(exemplars) for _, exemplars in rows)
    height = len(rows) * (SIDE_INCHES + 0.22) + 0.35
    with drawn(path, columns * SIDE_INCHES + 0.2, height) as figure:
        places = figure.subplots(len(rows), columns, squeeze=False)
        for line, (name, exemplars) in zip(places, rows, strict=True):
            for place in line:
                place.set_axis_off()
            for place, exemplar in zip(line, exemplars, strict=False):
                _prototype(place, exemplar)
            line[0].set_title(name, loc="left", fontsize=8)
        words = f"first fold; data {str(item.content['data_sha256'])[:12]}"
        figure.suptitle(words, fontsize=7, color=LIGHT["muted"])
    return True


def _prototype(place: Axes, exemplar: Exemplar) -> None:
    low, high = BONE_WINDOW_HU
    heat = exemplar.heatmap
    pixels = exemplar.array if exemplar.array is not None else np.full(heat.shape, low)
    if pixels.ndim == 3:
        middle = int(np.unravel_index(int(heat.argmax()), heat.shape)[2])
        pixels, heat = pixels[..., middle], heat[..., middle]
    place.imshow(pixels, cmap="gray", vmin=low, vmax=high)
    level = float(np.median(heat) + heat.max()) / 2
    if level < float(heat.max()):
        place.contour(heat, levels=[level], colors=[OUTLINE], linewidths=1.0)
    place.text(
        0.04,
        0.04,
        exemplar.provenance.grade,
        transform=place.transAxes,
        fontsize=7,
        color=PICTURE["on-picture"],
        fontweight="bold",
    )


def draw_examples(item: Stored, cohort: Cohort, folder: Path, suffix: str = "") -> list[str]:
    """Draw figures 5 and 6: held-out vertebrae of grade 2 and 3 with evidence and CAMs beside it.

    The first two of each grade that the model of the first fold called rightly, in the order
    of the cohort: nobody chose them for their looks.

    Parameters
    ----------
    item : Stored
        A cross-validation whose runs are beside its results.
    cohort : Cohort
        The one it was made on.
    folder : Path
    suffix : str
        Of the files' names.

    Raises
    ------
    ConfigError
        If the cohort is another one.
    """
    from spinexplain.evaluate.predictions import data_hash

    if data_hash(cohort.index) != item.content["data_sha256"]:
        raise ConfigError(
            f"{cohort.path} is not the cohort of {item.path.parent} (data "
            f"{str(item.content['data_sha256'])[:12]}); expected the one it was made on. Give its "
            "folder as --cohort."
        )
    graders = _graders(item)
    if graders is None:
        return []
    name, model, beside = graders
    names = []
    for number, grade in ((5, "G2"), (6, "G3")):
        rows = _rightly_called(item, cohort, name, grade)[:EXAMPLES]
        if rows:
            file = f"protoverse-figure{number}{suffix}.png"
            made = [_compared(cohort, row, model, beside) for row in rows]
            write_comparison(made, folder / file)
            names.append(file)
    return names


def _graders(item: Stored) -> tuple[str, Grader, Grader] | None:
    """Return the prototype model of the first fold, by name, and the plain one beside it."""
    from spinexplain.models.bundle.store import load_grader

    kept = {
        entry["name"]: (entry, bundle)
        for entry in item.content["entries"]
        if (bundle := bundle_of(item, entry["name"])) is not None
    }
    with_prototypes = [name for name, (entry, _) in kept.items() if entry["prototypes"] is not None]
    if not with_prototypes:
        return None
    chosen = "protoverse" if "protoverse" in with_prototypes else with_prototypes[0]
    plain = next((name for name in kept if name not in with_prototypes), chosen)
    model = load_grader(kept[chosen][1], runtime="torch")
    beside = model if plain == chosen else load_grader(kept[plain][1], runtime="torch")
    return chosen, model, beside


def _rightly_called(item: Stored, cohort: Cohort, entry: str, grade: str) -> list[int]:
    """Return the rows of held-out vertebrae of a grade that the first fold's model called so."""
    from spinexplain.evaluate.predictions import SCORE, class_names, read_predictions

    run = item.path.parent / "runs" / entry / "fold-0"
    table = read_predictions(run / "predictions.parquet")
    names = class_names(table)
    called = table[[SCORE + name for name in names]].to_numpy().argmax(axis=1)
    right = table[(table["grade"] == grade) & (called == table["label"])]
    wanted = set(zip(right["subject"], right["series"], right["level"], strict=True))
    index: Any = cohort.index
    keys = zip(index["subject"], index["series"], index["level"], strict=True)
    use = cohort.has("patches_2d")
    return [row for row, key in enumerate(keys) if key in wanted and use[row]]


def _compared(cohort: Cohort, row: int, model: Grader, beside: Grader) -> Comparison:
    from spinexplain.explainers.cam_weights import CAM_METHODS
    from spinexplain.findings.assess import explain

    patch, other = (sheet(cohort, row, round(g.spec.extent_mm)) for g in (model, beside))
    grading, beside_grading = model.grade([patch])[0], beside.grade([other])[0]
    return Comparison(
        model=model.info,
        beside=beside.info,
        grading=grading,
        beside_grading=beside_grading,
        prototypes=explain(model, patch, grading.grade, "prototypes"),
        maps=tuple(explain(beside, other, grading.grade, method) for method in CAM_METHODS),
    )


def sheet(cohort: Cohort, row: int, side: int) -> Patch:
    """Cut a stored sheet to ``side`` mm around its vertebra, on a plane of its own.

    Where it lies in the patient does not matter to a picture, and drawn sheets lie in none.
    """
    from spinexplain.anatomy import VertebraLevel
    from spinexplain.geometry import SheetFrame, fit_curve

    whole = cohort.read("patches_2d", [row])[0].astype(np.float32)
    start = (whole.shape[0] - side) // 2
    cut = whole[start : start + side, start : start + side]
    straight = fit_curve(np.array([[0.0, 200.0], [0.0, 0.0], [0.0, -200.0]]), np.array([0.0, -1.0]))
    frame = SheetFrame(straight, 200.0, 0.0, (side, side), 1.0)
    level = VertebraLevel(str(cohort.index["level"].iloc[row]))
    return Patch(Vertebra(level, (0.0, 0.0, 0.0)), cut, frame, 0.0)
