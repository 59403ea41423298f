"""VGG11 at 224 pixels: a training step and the grading of a scan, in fp32 and in bf16."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy as np
import torch
from harness.measure import cpu_seconds, row, write

from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.models.build import build_model
from spinexplain.models.runtime.exported import LOGITS, MAPS, compiled, runs_bf16
from spinexplain.models.runtime.onnx_export import ONNX_FILE, Answers, write_halves, write_onnx
from spinexplain.models.trunks.backbones import build_trunk

CLASSES, BATCH, VERTEBRAE = 3, 4, 17
SPEC = InputSpec(size=224)


def network() -> torch.nn.Module:
    """ProtoVerse's network with random weights."""
    torch.manual_seed(0)
    trunk = build_trunk(TrunkSettings(name="vgg11", blocks=5, max_stride=32, weights="none"), SPEC)
    return build_model(trunk, HeadSettings(feature_dim=128), CLASSES, SPEC)


def stepper(bf16: bool):
    """A training step: forward, backward, Adam. In fp32 as torch lays tensors out by default."""
    model = network().train()
    layout = torch.channels_last if bf16 else torch.contiguous_format
    model = model.to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    x = torch.randn(BATCH, 3, 224, 224).contiguous(memory_format=layout)
    labels = torch.arange(BATCH) % CLASSES

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(x)
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def graders(folder: Path):
    """The grading of a scan's vertebrae: eagerly, and exported in both precisions."""
    model = network().eval().to(memory_format=torch.contiguous_format)
    answers = Answers(model)
    write_onnx(answers, SPEC, folder / ONNX_FILE)
    write_halves(folder / ONNX_FILE, answers.names, folder)
    x = np.random.default_rng(0).uniform(-1, 1, (VERTEBRAE, 3, 224, 224)).astype(np.float32)

    def eager():
        with torch.inference_mode():
            return model(torch.from_numpy(x)), None

    def exported(precision):
        runtime = compiled(folder, SPEC, precision)
        return lambda: runtime.run(x, (LOGITS, MAPS))

    return {"eager": eager, "fp32": exported("fp32"), "bf16": exported("bf16")}


def main(rounds: int) -> None:
    """Measure both and store the figures."""
    if not runs_bf16():
        sys.exit("this processor cannot run bf16; the benchmark compares it with fp32.")
    torch.set_num_threads(1)
    steps = {"fp32": stepper(False), "bf16": stepper(True)}
    for step in steps.values():
        step()  # the first one chooses kernels
    training = cpu_seconds(steps, rounds=dict.fromkeys(steps, rounds))
    del steps
    with tempfile.TemporaryDirectory() as folder:
        variants = graders(Path(folder))
        variants["bf16"]()
        grading = cpu_seconds(variants, rounds=dict.fromkeys(variants, rounds))
    write(
        "precision",
        "VGG11 at 224 pixels in bf16",
        "ProtoVerse's network with random weights, one thread in torch. A step: batch of "
        f"{BATCH}, forward, backward, Adam; bf16 by autocast with the channels last, fp32 in "
        f"torch's usual layout. Grading: {VERTEBRAE} vertebrae with their similarity maps by the "
        "exported network, one at a time; eager torch takes them as one batch and gives logits "
        "only. bf16 grades only where it passes the gate.",
        [
            row("training step, bf16 / fp32", training["bf16"], training["fp32"], ">= 2"),
            row(
                "grading, exported, bf16 trunk / eager fp32",
                grading["bf16"],
                grading["eager"],
                ">= 2.5",
            ),
            row("grading, exported, fp32 / eager fp32", grading["fp32"], grading["eager"]),
        ],
        packages=("openvino",),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
