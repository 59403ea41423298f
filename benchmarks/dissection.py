"""Thresholds of 512 units from a stream, and a scan graded and dissected by an exported model."""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy as np
import torch
from datasketches import kll_floats_sketch
from harness.measure import cpu_seconds, peak_mib, row, write
from harness.scan import spine

from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.explainers.dissection.grid import cell_grid
from spinexplain.explainers.dissection.thresholds import TailFilter
from spinexplain.models.build import build_model
from spinexplain.models.runtime.exported import LOGITS, TRUNK, compiled, runs_bf16
from spinexplain.models.runtime.onnx_export import ONNX_FILE, Answers, write_halves, write_onnx
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.spine.reformat import box_frame
from spinexplain.types import Patch

UNITS, QUANTILE, SKETCH = 512, 0.995, 3072
STREAM = """
import numpy as np
from spinexplain.explainers.dissection.thresholds import TailFilter
rng = np.random.default_rng(0)
base = rng.normal(0, 1, (8, 512, 12**3)).astype(np.float32)
batch = base.copy()
# measure
stream = TailFilter({samples} * 12**3, 0.995, located={located})
for _ in range({samples} // 8):
    stream.add(np.multiply(base, np.float32(rng.uniform(0.7, 1.3)), out=batch))
stream.finish()
# measure
"""


def activations(side: int, samples: int, batch: int) -> list[np.ndarray]:
    """Rectified noise in batches, some units seldom active; every batch on a scale of its own."""
    rng = np.random.default_rng(0)
    base = rng.normal(0, 1, (batch, UNITS, side**3)).astype(np.float32)
    base = np.maximum(base - np.linspace(0, 2.9, UNITS, dtype=np.float32)[:, None], 0)
    return [base * np.float32(rng.uniform(0.7, 1.3)) for _ in range(samples // batch)]


def by_filter(batches):
    """Ours: one pass, the tail kept."""
    stream = TailFilter(values_a_unit(batches), QUANTILE)
    for batch in batches:
        stream.add(batch)
    return stream.finish().thresholds


def by_storing(batches):
    """Everything in memory, unit by unit, then the k-th value."""
    total = values_a_unit(batches)
    stored, size = torch.empty(UNITS, total), total // len(batches)
    for index, batch in enumerate(batches):
        stored[:, index * size : (index + 1) * size] = (
            torch.from_numpy(batch).transpose(0, 1).flatten(1)
        )
    above = int(round(total * (1 - QUANTILE), 9))
    return torch.kthvalue(stored, total - above, dim=1).values.numpy()


def values_a_unit(batches) -> int:
    """Count the values that each unit gives."""
    return sum(len(batch) * batch.shape[2] for batch in batches)


def by_sketch(batches):
    """One KLL sketch a unit."""
    sketches = [kll_floats_sketch(SKETCH) for _ in range(UNITS)]
    for batch in batches:
        for unit, sketch in enumerate(sketches):
            sketch.update(np.ascontiguousarray(batch[:, unit].reshape(-1)))
    return np.array([sketch.get_quantile(QUANTILE) for sketch in sketches])


def scan_row() -> dict[str, object]:
    """CPU seconds of 17 boxes of 96 mm, from HU to grades and maps of the strongest units."""
    torch.manual_seed(0)
    spec = InputSpec(
        axes=3, extent_mm=96, size=96, channels=("ct",), windows_hu={"ct": (-1000, 1000)}
    )
    trunk = build_trunk(TrunkSettings(name="compact3d", weights="none"), spec)
    model = build_model(trunk, HeadSettings(kind="detector"), 2, spec).eval()
    affine = np.diag([0.8, 0.8, 1.0, 1.0])
    vertebrae = spine((512, 512, 600), affine)
    rng = np.random.default_rng(0)
    patches = []
    for vertebra in vertebrae:
        frame = box_frame(vertebrae, vertebra)
        patches.append(Patch(vertebra, rng.normal(100, 300, frame.shape).astype(np.float32), frame))
    with tempfile.TemporaryDirectory() as folder:
        answers = Answers(model)
        write_onnx(answers, spec, Path(folder) / ONNX_FILE)
        write_halves(Path(folder) / ONNX_FILE, answers.names, Path(folder))
        precision = "bf16" if runs_bf16() else "fp32"
        start = time.process_time()
        graded_and_dissected(compiled(Path(folder), spec, precision), patches)
        spent = time.process_time() - start
    return row(f"17 vertebrae graded and dissected, {precision} trunk", spent, target="<= 8")


def graded_and_dissected(network, patches, shown=5):
    """Logits, relevance of every unit and the maps of the five strongest, by eq. 2."""
    thresholds = np.full(UNITS, 0.5, np.float32)[:, None, None, None]
    for patch in patches:
        found = network([patch], (LOGITS, TRUNK))
        activation = found[TRUNK][0]
        above = np.where(activation > thresholds, activation, 0)
        relevance = above.reshape(UNITS, -1).sum(axis=1, dtype=np.float64)
        grid = cell_grid(activation.shape[1:], 96, 96, None)
        for unit in np.argsort(-relevance)[:shown]:
            grid.spread(above[unit])


METHOD = (
    f"Thresholds that leave 0.5 % of the values above: {UNITS} units, 448 maps of 6 x 6 x 6 "
    "of rectified noise in batches of 32, or 56 maps of 12 x 12 x 12 in batches of 8 (as many "
    "values), in memory, one thread. Storing: transposed "
    f"copy and torch.kthvalue. Sketch: the KLL of Apache DataSketches, {SKETCH}, one a unit. "
    "Memory: 3000 maps of 12 x 12 x 12 in batches of 8, peak beyond the batch in a fresh "
    "process. 17 vertebrae: boxes of 96 mm in HU, the compact encoder with random weights, "
    "exported; grades, relevance of every unit and the maps of five, compiling included."
)


def main(rounds: int) -> None:
    """Measure all and store the figures."""
    torch.set_num_threads(1)
    whole_scan = scan_row()
    batches, large = activations(6, 448, 32), activations(12, 56, 8)
    errors = error_rows(batches)
    rows = [*speed_rows(batches, large, rounds), *errors, memory_row(), whole_scan]
    write("dissection", "Dissection", METHOD, rows, packages=("openvino", "datasketches"))


def error_rows(batches) -> list[dict]:
    """How far thresholds are from the exact ones."""
    exact, sketched, ours = by_storing(batches), by_sketch(batches), by_filter(batches)
    active = exact > 0
    return [
        row(
            "largest error of a threshold",
            float(np.abs(ours - exact).max()),
            unit="activation",
            target="<= 0",
        ),
        row(
            "largest error of the sketch's",
            float(np.abs(sketched - exact)[active].max()),
            unit="activation",
        ),
    ]


def speed_rows(batches, large, rounds: int) -> list[dict]:
    """CPU time of the thresholds, each way alternating with the others."""
    variants = {
        "ours": lambda: by_filter(batches),
        "stored": lambda: by_storing(batches),
        "sketch": lambda: by_sketch(batches),
        "ours, 12": lambda: by_filter(large),
        "stored, 12": lambda: by_storing(large),
    }
    seconds = cpu_seconds(variants, rounds=dict.fromkeys(variants, rounds))
    return [
        row(
            "thresholds, 12 x 12 x 12 / storing all, k-th value",
            seconds["ours, 12"],
            seconds["stored, 12"],
            ">= 2.5",
        ),
        row(
            "thresholds, 6 x 6 x 6 / storing all, k-th value",
            seconds["ours"],
            seconds["stored"],
            ">= 2.5",
        ),
        row("thresholds, 6 x 6 x 6 / KLL sketch", seconds["ours"], seconds["sketch"], ">= 4"),
    ]


def memory_row() -> dict:
    """Peak memory of a long stream with the place of every value above."""
    return row(
        "peak memory of thresholds and the place of every value above",
        peak_mib(STREAM.format(samples=3000, located=True)),
        target="<= 250",
        unit="MiB",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
