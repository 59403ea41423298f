"""The prototype network: a class score is a sum of "this part looks like that part"."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spinexplain.config.training import HeadSettings, InputSpec
from spinexplain.errors import ConfigError
from spinexplain.models.heads.parts import kept_parts, prototype_owners
from spinexplain.models.heads.prototype_head import PrototypeHead, max_similarity
from spinexplain.models.heads.silence import silence_of
from spinexplain.models.trunks.backbones import Trunk

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_POOL = {2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


class PrototypeNet(nn.Module):
    """Score classes by the similarity of image parts to learned prototypes.

    K classes, P prototypes of D features (as many for each class, if none was taken out), on a
    grid G of any number of axes. ``forward`` returns logits only; :meth:`distances` and
    :meth:`similarity_maps` the rest.

    Parameters
    ----------
    trunk : Trunk
    head : HeadSettings
    classes : int
        K.
    axes : int
        Spatial axes, 2 or 3.

    Notes
    -----
    ProtoPNet's head: 1-wide convolutions with ReLU and sigmoid, squared L2 distance,
    smallest distance over the grid, then similarity log((d + 1) / (d + epsilon)), then a
    linear layer without bias. So the logit of a class is exactly the sum over prototypes
    of similarity x class connection.
    """

    prototype_class: Tensor

    def __init__(self, trunk: Trunk, head: HeadSettings, classes: int, axes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.epsilon = head.log_epsilon
        self.similarity = head.similarity
        self.region = head.region
        owners = prototype_owners(head, classes)
        dim, count = head.feature_dim, len(owners)
        convolution, width = _CONV[axes], head.add_on_width or dim
        self.add_on = nn.Sequential(
            convolution(trunk.channels, width, 1),
            nn.ReLU(),
            convolution(width, dim, 1),
            nn.Sigmoid(),
        )
        self.kept = head.kept
        self.parts = kept_parts(head, classes)
        self.prototypes = nn.Parameter(torch.empty(count, dim))
        self.register_buffer("prototype_class", torch.tensor(owners))
        self.last_layer = nn.Linear(count, classes, bias=False)
        self._initialize(head)

    def _initialize(self, head: HeadSettings) -> None:
        nn.init.uniform_(self.prototypes)
        for layer in self.add_on:
            if isinstance(layer, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        own = self.own_class.T
        with torch.no_grad():
            self.last_layer.weight.copy_(
                torch.where(own, head.own_class_connection, head.other_class_connection)
            )

    @property
    def max_similarity(self) -> float:
        """Similarity of a cell that equals a prototype."""
        return max_similarity(self.similarity, self.epsilon)

    @property
    def own_class(self) -> Tensor:
        """Which prototype belongs to which class, bool, shape (P, K)."""
        classes = torch.arange(self.last_layer.out_features, device=self.prototype_class.device)
        return self.prototype_class[:, None] == classes[None]

    def latent(self, x: Tensor) -> Tensor:
        """Map inputs (N, C, *size) to latent patches (N, D, *G)."""
        return self.add_on(self.trunk(x))

    def distances(self, x: Tensor) -> Tensor:
        """Return the distance of every grid cell to every prototype, (N, P, *G)."""
        return self.latent_distances(self.latent(x))

    def latent_distances(self, latent: Tensor) -> Tensor:
        """Return squared L2 distances (or 1 - cosine) of latent patches (N, D, *G)."""
        return self.distances_to(self.prototypes, latent)

    def distances_to(self, prototypes: Tensor, latent: Tensor) -> Tensor:
        """Return distances of latent patches (N, D, *G) to some prototypes (Q, D), (N, Q, *G).

        Notes
        -----
        |z - p|^2 = |z|^2 - 2 z.p + |p|^2, clamped to not below 0: the sum is rounded.
        """
        if self.similarity == "cosine":
            unit, target = F.normalize(latent, dim=1), F.normalize(prototypes, dim=1)
            return 1 - torch.einsum("nd...,pd->np...", unit, target)
        square = latent.square().sum(dim=1, keepdim=True)
        product = torch.matmul(prototypes, latent.flatten(2)).unflatten(2, latent.shape[2:])
        offset = prototypes.square().sum(dim=1).view(1, -1, *(1,) * (latent.ndim - 2))
        return (square - 2 * product + offset).clamp_min(0)

    def similarity_of(self, distances: Tensor) -> Tensor:
        """Turn distances into similarities, elementwise and decreasing."""
        if self.similarity == "cosine":
            return 1 - distances
        return torch.log((distances + 1) / (distances + self.epsilon))

    def similarity_maps(self, x: Tensor) -> Tensor:
        """Return how similar every grid cell is to every prototype, (N, P, *G)."""
        return self.similarity_of(self.distances(x))

    def similarities(self, x: Tensor) -> Tensor:
        """Return the similarity of each prototype's best cell, (N, P)."""
        return self.pooled(self.distances(x))

    def pooled(self, distances: Tensor) -> Tensor:
        """Pool distances (N, P, *G) by their minimum, then turn into similarities."""
        return self.similarity_of(distances.flatten(2).amin(dim=2))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K)."""
        return self.last_layer(self.similarities(x))

    def described_head(self) -> PrototypeHead:
        """Return class connections, owners and geometry as arrays, as they are now."""
        return PrototypeHead(
            connections=self.last_layer.weight.detach().cpu().numpy(),
            owner=self.prototype_class.cpu().numpy(),
            field=self.trunk.field,
            max_similarity=max_similarity(self.similarity, self.epsilon),
            region=self.region,
            parts=self.parts,
        )


class LinearNet(nn.Module):
    """The plain classifier: the trunk, pooled over the grid, and a linear layer.

    Parameters
    ----------
    trunk : Trunk
    classes : int
    spec : InputSpec
    pooling : str
        ``"average"``, or ``"target"``: weighted by the Gaussian channel.
    silenced : sequence of int
        Units of the trunk that the linear layer does not listen to.
    """

    def __init__(
        self,
        trunk: Trunk,
        classes: int,
        spec: InputSpec,
        pooling: str,
        silenced: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if pooling == "target" and "gaussian" not in spec.channels:
            raise ConfigError(
                '[head] pooling = "target" needs the channel "gaussian" in [input] channels; '
                f"got {list(spec.channels)}."
            )
        self.trunk = trunk
        self.silence = silence_of(trunk.channels, silenced)
        self.target_channel = spec.channels.index("gaussian") if pooling == "target" else None
        self.background = -spec.mean / spec.std
        self.last_layer = nn.Linear(trunk.channels, classes)

    def cell_weights(self, x: Tensor, grid: Sequence[int]) -> Tensor:
        """Return how much each cell counts when the map is pooled, (N, *grid), sum 1."""
        if self.target_channel is None:
            return x.new_full((len(x), *grid), 1 / math.prod(grid))
        bump = x[:, self.target_channel, None] - self.background
        cells = _POOL[x.ndim - 2](bump, list(grid))[:, 0]  # type: ignore[arg-type]
        total = cells.flatten(1).sum(dim=1).clamp_min(1e-6)
        return cells / total.view(-1, *(1,) * len(grid))

    def pooled_features(self, x: Tensor) -> Tensor:
        """Return the features of an image, (N, channels)."""
        return self.pooled(self.silence(self.trunk(x)), x)

    def pooled(self, maps: Tensor, x: Tensor) -> Tensor:
        """Pool the trunk's features (N, channels, *G) of inputs ``x`` over the grid."""
        features, grid = maps.flatten(2), [int(cells) for cells in maps.shape[2:]]
        if self.target_channel is None:
            return features.mean(dim=2)
        bump = x[:, self.target_channel, None] - self.background
        cells = _POOL[x.ndim - 2](bump, grid).flatten(2)  # type: ignore[arg-type]
        return (features * cells).sum(dim=2) / cells.sum(dim=2).clamp_min(1e-6)

    def class_maps(self, features: Tensor) -> Tensor:
        """Return what every cell of features (N, channels, *G) says for every class, (N, K, *G).

        M_k = sum over c of w_kc A_c: the map whose positive part GradCAM shows of this head,
        before the pooling weighs its cells. Without the bias, as GradCAM is.
        """
        return torch.einsum("kc,nc...->nk...", self.last_layer.weight, features)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K)."""
        return self.last_layer(self.pooled_features(x))


def prototype_network(
    trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec
) -> PrototypeNet:
    """Put prototypes on a trunk."""
    return PrototypeNet(trunk, head, classes, spec.axes)


def linear_network(trunk: Trunk, head: HeadSettings, classes: int, spec: InputSpec) -> LinearNet:
    """Put a linear layer on a trunk."""
    return LinearNet(trunk, classes, spec, head.pooling, head.silenced)
