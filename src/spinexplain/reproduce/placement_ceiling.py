"""How well the place of a fracture can be read from phantom sheets: supervised, in the true frame.

Written down before it was run. A small network sees the body cut out along its true frame, which
grading never knows, and learns which endplate and which third a fracture moved from the truth
itself, which explanations never see. What it reads is what these images show to such a network;
prototypes are measured against it, not against 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import map_coordinates
from torch import Tensor, nn

from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.evaluate.explanations.parts import PARTS, BodyFrame, body_frame
from spinexplain.evaluate.explanations.placement import chosen_parts, placement, true_parts
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_prototypes import (
    TEST_SEED,
    TEST_SHEETS,
    TRAINING,
    TWINS,
    from_trunk,
    read_all,
)
from spinexplain.train.grading.augment import plain_crops
from spinexplain.train.grading.protoverse import without_twins

RESULTS = "placement-ceiling.json"
SEEDS, EPOCHS, BATCH, RATE, CHANNELS = (0, 1, 2), 30, 64, 2e-3, 24
ROWS, COLUMNS, REACH = 64, 48, (1.8, 1.15)
JITTER = 0.06  # of half the body, so that edges of the cut are no clue
AT_LEAST = {"endplate": 0.7, "third": 0.4}
"""Share of what a fracture moved that must lie in one part to ask for it."""


@dataclass(frozen=True, eq=False)
class Strips:
    """Bodies cut out along their true frame, and where each broke.

    Parameters
    ----------
    images : ndarray of float32, shape (n, 2, ROWS, COLUMNS)
        In a wide and in a narrow window, -1 to 1; row 0 is cranial, column 0 anterior.
    truth : dict of str to ndarray of int, shape (n,)
        Of each question the true part, -1 where it is not asked.
    subjects : ndarray of str, shape (n,)
    """

    images: np.ndarray
    truth: dict[str, np.ndarray]
    subjects: np.ndarray


class StripNetwork(nn.Module):
    """Four convolutions with a stride, and a linear answer to every question."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, CHANNELS, 2 * CHANNELS, 4 * CHANNELS, 4 * CHANNELS)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        cells = widths[-1] * (ROWS // 16) * (COLUMNS // 16)
        self.answers = nn.ModuleDict({q: nn.Linear(cells, len(PARTS[q])) for q in AT_LEAST})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the logits (n, K) of every question."""
        features = self.features(images)
        return {name: answer(features) for name, answer in self.answers.items()}


def thirds_mm(moved_mm: np.ndarray) -> np.ndarray:
    """Return what both endplates moved in the anterior, middle and posterior third, (n, 3).

    Examples
    --------
    >>> thirds_mm(np.arange(12.0)[None]).tolist()
    [[30.0, 22.0, 14.0]]
    """
    both = moved_mm[:, :6] + moved_mm[:, 6:]
    return np.stack([both[:, 4:].sum(1), both[:, 2:4].sum(1), both[:, :2].sum(1)], axis=1)


def asked(moved_mm: np.ndarray) -> dict[str, np.ndarray]:
    """Return the true part of every question, -1 where the fracture moved several alike.

    Parameters
    ----------
    moved_mm : ndarray of float, shape (n, 12)
        See :class:`~spinexplain.data.crops.dataset.TrainingSet`.
    """
    plates = np.stack([moved_mm[:, :6].sum(1), moved_mm[:, 6:].sum(1)], axis=1)
    shares = {"endplate": plates, "third": thirds_mm(moved_mm)}
    return {name: true_parts(shares[name], least) for name, least in AT_LEAST.items()}


def cut(hu: np.ndarray, frame: BodyFrame) -> np.ndarray:
    """Sample a body along its frame, float32, (2, ROWS, COLUMNS), a window a channel."""
    grid = np.meshgrid(
        np.linspace(REACH[0], -REACH[0], ROWS),
        np.linspace(REACH[1], -REACH[1], COLUMNS),
        indexing="ij",
    )
    found = map_coordinates(hu, frame.samples(np.stack(grid)), order=1, mode="nearest")
    windows = ((-500.0, 1300.0), (-50.0, 450.0))
    return np.stack([np.clip((found - a) / (b - a) * 2 - 1, -1, 1) for a, b in windows]).astype(
        np.float32
    )


def strips_of(data: TrainingSet, config: TrainConfig) -> Strips:
    """Cut out every fracture of a set that knows what moved."""
    moved = data.displacement_mm
    assert moved is not None
    rows = np.flatnonzero((data.grades > 1) & np.isfinite(moved).all(axis=1))
    images, kept = [], []
    for row in rows:
        crop = plain_crops(data, np.array([row]), config.input)
        assert crop.target is not None
        body = crop.target[0].numpy() > 0
        if body.sum() > 100:
            images.append(cut(crop.hu[0].numpy(), body_frame(body)))
            kept.append(row)
    return Strips(np.stack(images), asked(moved[kept]), data.subjects[kept])


def trained_strips(strips: Strips, seed: int) -> StripNetwork:
    """Train for the epochs written down; nothing is chosen afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _descended(StripNetwork(), strips, np.random.default_rng([seed, 6]))


def _descended(network: StripNetwork, strips: Strips, rng: np.random.Generator) -> StripNetwork:
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-2)
    steps = EPOCHS * (len(strips.images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(steps, 1))
    for _ in range(EPOCHS):
        order = rng.permutation(len(strips.images))
        for k in range(len(order) // BATCH):
            rows = order[k * BATCH : (k + 1) * BATCH]
            optimizer.zero_grad()
            _loss(network, strips, rows, rng).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def _loss(
    network: StripNetwork, strips: Strips, rows: np.ndarray, rng: np.random.Generator
) -> Tensor:
    logits = network(_jittered(torch.from_numpy(strips.images[rows]), rng))
    terms = []
    for name, answer in logits.items():
        truth = torch.from_numpy(strips.truth[name][rows])
        terms.append(F.cross_entropy(answer, truth, ignore_index=-1, reduction="sum"))
    return torch.stack(terms).sum() / len(rows)


def _jittered(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Move and noise images, so that a few hundred fractures are not learned by heart."""
    n = len(images)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1.0
    theta[:, :, 2] = torch.from_numpy(rng.normal(0, JITTER, (n, 2)).astype(np.float32))
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    noise = torch.from_numpy(rng.normal(0, 0.03, images.shape).astype(np.float32))
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False) + noise


@torch.no_grad()
def answered(network: StripNetwork, strips: Strips) -> dict[str, list[float]]:
    """Return of every question how often the right part is chosen, with its interval."""
    logits = network(torch.from_numpy(strips.images))
    found = {}
    for name, answer in logits.items():
        rows = strips.truth[name] >= 0
        choices, truth = chosen_parts(answer.numpy()[rows]), strips.truth[name][rows]
        figure = subject_bootstrap(partial(_placed, choices, truth), strips.subjects[rows], 0)
        found[name] = [round(float(x), 4) for x in (figure.value, figure.low, figure.high)]
    return found


def _placed(choices: np.ndarray, truth: np.ndarray, rows: np.ndarray) -> float:
    return placement(choices[rows], truth[rows])


def measure(setting: Setting) -> None:
    """Train every seed on the sheets of the shipped training, and ask on `placement`."""
    torch.set_num_threads(1)
    config = from_trunk("", 0)
    counts = {key: count for key, count in TRAINING.items() if key[0] in TWINS}
    training = strips_of(without_twins(read_all(setting, counts)), config)
    tested = read_all(setting, {("placement", TEST_SEED): TEST_SHEETS}, ("placement",))
    test = strips_of(without_twins(tested), config)
    networks = {seed: trained_strips(training, seed) for seed in SEEDS}
    setting.store(
        RESULTS,
        {
            "training": [[*key, count] for key, count in counts.items()],
            "fractures": {"training": len(training.images), "placement": len(test.images)},
            "asked": {q: np.bincount(t[t >= 0]).tolist() for q, t in test.truth.items()},
            "seeds": {str(seed): answered(network, test) for seed, network in networks.items()},
        },
    )
