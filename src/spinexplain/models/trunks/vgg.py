"""VGG11, VGG13 and VGG16 as trunks: an image in, its feature map out."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from spinexplain.errors import ConfigError
from spinexplain.models.receptive import ConvStep, receptive_field
from spinexplain.models.trunks.weights import load_weights

VGG_CONVOLUTIONS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3)}
_WIDTHS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """The convolutions of a VGG network, up to a stage of choice.

    The names of its tensors are torchvision's, ``features.0.weight`` and so on.

    Parameters
    ----------
    name : str
        A key of ``VGG_CONVOLUTIONS``.
    in_channels : int
        Channels of the input; torchvision's networks have 3.
    stages : int
        Stages kept, 1 to 5; each is some 3-wide convolutions and a pooling.
    max_stride : int
        Poolings that would coarsen the grid beyond this stride are left out: 32 keeps all,
        16 leaves out the last, which gives 7 x 7 cells at 112 pixels as 32 does at 224.

    Attributes
    ----------
    channels : int
        Features per cell.
    field : ReceptiveField

    Raises
    ------
    ConfigError
        If the name or the number of stages is not one of those.

    Notes
    -----
    Simonyan and Zisserman, arXiv:1409.1556, configurations A, B and D without batch
    normalization.

    Examples
    --------
    >>> trunk = VGG("vgg11", max_stride=16)
    >>> trunk.channels, trunk.field.size, trunk.field.stride
    (512, 134, 16)
    """

    def __init__(
        self, name: str, in_channels: int = 3, stages: int = 5, max_stride: int = 32
    ) -> None:
        super().__init__()
        if name not in VGG_CONVOLUTIONS:
            raise ConfigError(f'there is no VGG "{name}"; expected {sorted(VGG_CONVOLUTIONS)}.')
        if not 1 <= stages <= 5:
            raise ConfigError(f"{name} has 5 stages; got stages = {stages}. Keep 1 to 5 of them.")
        layers: list[nn.Module] = []
        steps: list[ConvStep] = []
        channels, stride = in_channels, 1
        for count, width in list(zip(VGG_CONVOLUTIONS[name], _WIDTHS, strict=True))[:stages]:
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                steps.append(ConvStep(3, 1, 1))
                channels = width
            if stride * 2 <= max_stride:
                layers.append(nn.MaxPool2d(2))
                steps.append(ConvStep(2, 2, 0))
                stride *= 2
            else:
                layers.append(nn.Identity())  # keeps the numbers in the layers' names
        self.features = nn.Sequential(*layers)
        self.channels = channels
        self.field = receptive_field(steps)
        self._all_layers = sum(VGG_CONVOLUTIONS[name]) * 2 + 5
        self._initialize()

    def _initialize(self) -> None:
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, in_channels, H, W) to features (N, channels, *G)."""
        return self.features(x)

    def load_torchvision(self, path: str | Path, scaled: bool = True) -> None:
        """Load torchvision's weights of the same network from a file, in place.

        ``scaled`` is what :func:`~spinexplain.models.trunks.weights.widened` does with further
        input channels.

        Raises
        ------
        ModelError
            If the file is not readable as weights, or not of this network.
        """
        beyond = tuple(f"features.{i}." for i in range(len(self.features), self._all_layers))
        load_weights(
            self, path, stem="features.0.weight", ignored=("classifier.", *beyond), scaled=scaled
        )
