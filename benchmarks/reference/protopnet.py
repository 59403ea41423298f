"""ProtoPNet's projection and last-layer phase as loops, written from the paper's description.

Chen et al., This Looks Like That, arXiv:1806.10574, section 2.2 and supplement: batches of 75
images in the projection, 80 in training; every last-layer epoch passes all images through the
whole network again.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

PUSH_BATCH, TRAIN_BATCH, EPOCHS = 75, 80, 20


def push(
    features: Tensor, labels: np.ndarray, prototypes: Tensor, owner: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """Search the nearest own-class patch of every prototype, batch by batch, one at a time.

    Features (N, D, H, W), prototypes (P, D). Returns the smallest distances (P,), where they
    are as (image, row, column), and the patches (P, D).
    """
    count = len(prototypes)
    smallest, where = np.full(count, np.inf), np.zeros((count, 3), int)
    patches = torch.zeros_like(prototypes)
    for start in range(0, len(features), PUSH_BATCH):
        batch = features[start : start + PUSH_BATCH]
        distances = all_distances(batch, prototypes).numpy()
        latent = np.copy(batch.numpy())
        for index in range(count):
            own = np.flatnonzero(labels[start : start + PUSH_BATCH] == owner[index])
            if not len(own):
                continue
            of_class = distances[own, index]
            if of_class.min() < smallest[index]:
                image, row, column = np.unravel_index(of_class.argmin(), of_class.shape)
                smallest[index] = of_class.min()
                where[index] = start + own[image], row, column
                patches[index] = torch.from_numpy(latent[own[image], :, row, column])
    return smallest, where, patches


def all_distances(features: Tensor, prototypes: Tensor) -> Tensor:
    """Squared distances by three convolutions, (N, P, H, W)."""
    kernels = prototypes[:, :, None, None]
    squares = F.conv2d(features**2, torch.ones_like(kernels))
    products = F.conv2d(features, kernels)
    offsets = (kernels**2).sum(dim=(1, 2, 3)).view(-1, 1, 1)
    return F.relu(squares - 2 * products + offsets)


def last_layer_epochs(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    own_class: Tensor,
    epochs: int = EPOCHS,
    rate: float = 1e-4,
) -> None:
    """Train ``model.last_layer`` by Adam, every batch through the whole network, in place.

    Loss and statistics are those of the other phases: cross-entropy, cluster, separation and
    absolute off-class connections. ``own_class`` (P, K) says whose a prototype is.
    """
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    connections = model.last_layer.weight.requires_grad_(True)
    optimizer = torch.optim.Adam([connections], lr=rate)
    generator = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        right = 0
        for rows in torch.randperm(len(inputs), generator=generator).split(TRAIN_BATCH):
            distances = model.distances(inputs[rows])
            nearest = -F.max_pool2d(-distances, distances.shape[2:]).flatten(1)
            logits = model.last_layer(model.similarity_of(nearest))
            cluster, separation = _costs(nearest, own_class[:, labels[rows]].T)
            off_class = (connections * ~own_class.T).abs().sum()
            loss = F.cross_entropy(logits, labels[rows]) + 1e-4 * off_class
            loss = loss + 0.8 * cluster - 0.08 * separation
            right += int((logits.argmax(dim=1) == labels[rows]).sum())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def _costs(nearest: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    far = torch.full_like(nearest, float("inf"))
    cluster = torch.where(own, nearest, far).amin(dim=1).mean()
    return cluster, torch.where(own, far, nearest).amin(dim=1).mean()
