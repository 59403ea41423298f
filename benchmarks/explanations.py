"""The benchmark of explanations: our pieces against one forward pass after another in torch."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import product
from statistics import median
from typing import Any

import numpy as np
import torch
from harness.measure import cpu_seconds, row, write

from spinexplain.analysis.explanations.bench import CropFrame
from spinexplain.analysis.explanations.curves import deletion_curves, reference_inputs
from spinexplain.analysis.explanations.pieces import loaded_grader
from spinexplain.analysis.explanations.targets import fracture_probability
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.evaluate.explanations.faithfulness import side_fractions, step_masks
from spinexplain.explainers.answers import input_logits
from spinexplain.explainers.attribution import (
    GRADIENT_STEPS,
    STRIDE_MM,
    WINDOW_MM,
    blurred_patch,
    explain_integrated_gradients,
    explain_occlusion,
)
from spinexplain.models.bundle.folder import locate
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.models.runtime.exported import TRUNK_FILES, runs_bf16
from spinexplain.types import Patch, Vertebra

MODEL, STEPS, TARGET = DEFAULT_MODEL, 16, "G2"
SHEETS = 3
PASSES, BATCH = 48, 16


def patches() -> list[tuple[Patch, Patch]]:
    """Draw fractures and their healthy twins."""
    found = []
    for sheet in phantom_sheets("balanced", 90002, 30, twins=True):
        if sheet.twin_hu is None or len(found) == SHEETS:
            continue
        vertebra = Vertebra(VertebraLevel(sheet.level), (55.5, 55.5, 0.0))
        pair = (np.asarray(hu[16:128, 16:128], np.float32) for hu in (sheet.hu, sheet.twin_hu))
        found.append(tuple(Patch(vertebra, hu, CropFrame((112, 112))) for hu in pair))
    return found


def ours(grader: Grader, pairs: list[tuple[Patch, Patch]]) -> dict[str, Callable[[], object]]:
    """Return what the benchmark runs: exported, in batches."""

    def curves() -> list[np.ndarray]:
        return [
            deletion_curves(
                lambda x: fracture_probability(input_logits(grader, x), grader.task),
                reference_inputs(grader, patch, twin),
                patch.array,
                STEPS,
                0,
            )
            for patch, twin in pairs
        ]

    return {
        "deletion and insertion": curves,
        "occlusion": lambda: [explain_occlusion(grader, p, TARGET) for p, _ in pairs],
        "integrated gradients": lambda: [
            explain_integrated_gradients(grader, p, TARGET) for p, _ in pairs
        ],
    }


def eager(grader: Grader, pairs: list[tuple[Patch, Patch]]) -> dict[str, Callable[[], object]]:
    """Return the same one crop at a time, in torch: from HU to a logit, again and again."""
    runs = {
        "deletion and insertion": eager_curves,
        "occlusion": eager_occlusion,
        "integrated gradients": eager_gradients,
    }
    return {name: partial(run, grader, pairs) for name, run in runs.items()}


def eager_curves(grader: Grader, pairs: list[tuple[Patch, Patch]]) -> None:
    """Delete and insert step by step."""
    for patch, twin in pairs:
        masks = step_masks(patch.array, side_fractions(STEPS, 2))
        for reference in (twin, blurred_patch(patch), blurred_patch(patch, 12.0)):
            for first, second in ((patch, reference), (reference, patch)):
                for mask in masks:
                    shown = np.where(mask, second.array, first.array)
                    grader.logits([replace(patch, array=shown)])


def eager_occlusion(grader: Grader, pairs: list[tuple[Patch, Patch]]) -> None:
    """Blur window by window."""
    window, stride = int(WINDOW_MM), int(STRIDE_MM[2])
    corners = list(product(range(0, 112 - window + stride, stride), repeat=2))
    for patch, _ in pairs:
        blurred = blurred_patch(patch).array
        for top, left in corners:
            hu = patch.array.copy()
            where = (slice(top, top + window), slice(left, left + window))
            hu[where] = blurred[where]
            grader.logits([replace(patch, array=hu)])


def eager_gradients(grader: Grader, pairs: list[tuple[Patch, Patch]]) -> None:
    """Derive at point after point."""
    for patch, _ in pairs:
        x, base = grader.inputs([patch]), grader.inputs([blurred_patch(patch)])
        for step in range(GRADIENT_STEPS):
            point = (base + (step + 0.5) / GRADIENT_STEPS * (x - base)).requires_grad_()
            torch.autograd.grad(grader.model(point)[0, 1], point)


def trunks(grader: Grader, pairs: list[tuple[Patch, Patch]]) -> dict[str, Callable[[], object]]:
    """Return the trunk's bare passes: what no other way of calling it can save."""
    x = np.repeat(grader.inputs([pairs[0][0]]).numpy(), PASSES, axis=0)

    @torch.inference_mode()
    def in_torch() -> list[torch.Tensor]:
        return [grader.model.trunk(torch.from_numpy(x[k : k + 1])) for k in range(PASSES)]

    runs: dict[str, Callable[[], object]] = {"eager": in_torch}
    runs["fp32, one at a time"] = partial(exported_passes, x, 1, "f32")
    runs[f"fp32, {BATCH} at a time"] = partial(exported_passes, x, BATCH, "f32")
    if runs_bf16():
        runs[f"bf16, {BATCH} at a time"] = partial(exported_passes, x, BATCH, "bf16")
    return runs


def exported_passes(x: np.ndarray, batch: int, precision: str) -> None:
    """Run the exported trunk on inputs in batches."""
    request = exported_trunk(x.shape[1:], batch, precision)
    for k in range(0, len(x), batch):
        request.infer({0: x[k : k + batch]})


@cache
def exported_trunk(shape: tuple[int, ...], batch: int, precision: str) -> Any:
    """Compile the exported trunk for a batch."""
    import openvino

    core = openvino.Core()
    model = core.read_model(locate(MODEL) / TRUNK_FILES[0])
    model.reshape({model.inputs[0]: [batch, *shape]})
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": "1"}
    return core.compile_model(model, "CPU", settings).create_infer_request()


def trunk_rows(grader: Grader, pairs: list[tuple[Patch, Patch]], rounds: int) -> list[dict]:
    """Measure the trunk's bare passes in turns."""
    runs = trunks(grader, pairs)
    for run in runs.values():
        run()
    found = cpu_seconds(runs, dict.fromkeys(runs, rounds))
    slow = found.pop("eager") / PASSES
    return [
        row(f"a pass of the trunk, exported in {name}", seconds / PASSES, slow)
        for name, seconds in found.items()
    ]


def spent(run: Callable[[], object]) -> float:
    """CPU seconds of a call, a crop."""
    start = time.process_time()
    run()
    return (time.process_time() - start) / SHEETS


def main(rounds: int) -> None:
    """Run both in turns and store the figures."""
    torch.set_num_threads(1)
    pairs = patches()
    fast, slow = (
        ours(loaded_grader(MODEL), pairs),
        eager(load_grader(MODEL, runtime="torch"), pairs),
    )
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in fast}
    for _ in range(rounds):
        for name in fast:
            figures[name].append((spent(fast[name]), spent(slow[name])))
    rows, both = [], []
    for name, found in figures.items():
        values = [median(pair[k] for pair in found) for k in (0, 1)]
        both.append(values)
        rows.append(row(f"{name} of a crop", values[0], values[1]))
    total = np.sum(both, axis=0)
    rows.insert(0, row("all three / eager, one at a time", total[0], total[1], target=">= 3"))
    rows += trunk_rows(load_grader(MODEL, runtime="torch"), pairs, rounds)
    write(
        "explanations",
        "Scoring explanations",
        f"The shipped 2-D model on {SHEETS} drawn fractures: deletion and insertion in {STEPS} "
        "steps against three references, occlusion by 169 windows, integrated gradients in "
        f"{GRADIENT_STEPS} steps. *Ours* runs the exported network on one thread and derives in "
        "batches; the reference runs torch on one thread, from HU to a logit, one crop at a time. "
        "The last rows are the trunk alone, without what stands around it: what batches and "
        "float32 can give at most. bfloat16 gives other maps, so that it is used only where an "
        "export has passed its gate.",
        rows,
        packages=("openvino", "captum"),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
