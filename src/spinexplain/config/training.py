"""Settings of models and trainings: TOML presets, checked, with near matches for typos."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError

from spinexplain.config.heads import head_of
from spinexplain.config.phases import (
    LastLayerSettings,
    LossSettings,
    PhaseSettings,
    ProjectionSettings,
)
from spinexplain.config.sections import (
    AugmentSettings,
    DissectionSettings,
    EpochSettings,
    Settings,
    SimulatedSettings,
    VolumeAugmentSettings,
)
from spinexplain.config.tasks import GENANT_GRADES, Grade, Task, derived_task, with_task
from spinexplain.errors import ConfigError

Region = Literal["contours", "percentile98", "mass98"]


class InputSpec(Settings):
    """How a patch becomes a network's input; saved with every model.

    Parameters
    ----------
    axes : int
        2 for sheets, 3 for boxes.
    extent_mm : float
        Side of the crop the network sees.
    size : int
        Samples along each side of the network's input; above ``extent_mm`` it is upsampled.
    channels : tuple of str
        Each a key of ``windows_hu`` or ``"gaussian"`` (a bump on the target's centroid).
    windows_hu : dict of str to (low, high)
        HU window of each CT channel, scaled to [0, 1] and clipped.
    gaussian_sigma_mm : float
    mean, std : float
        Normalization of every channel after scaling: (x - mean) / std.
    body_height_mm : float, optional
        Scale every crop so that the target's body should be this tall, by its level and the
        distances of its neighbors: a crushed body then is small by itself, without a
        neighbor to compare it with. All other millimeters count in the scaled crop. Left
        out, crops keep the patient's own size.
    """

    axes: Literal[2, 3] = 2
    extent_mm: float = Field(default=112.0, gt=0)
    size: int = Field(default=112, ge=8)
    channels: tuple[str, ...] = ("ct", "ct", "gaussian")
    windows_hu: dict[str, tuple[float, float]] = Field(default={"ct": (-300.0, 1000.0)})
    gaussian_sigma_mm: float = Field(default=10.0, gt=0)
    mean: float = 0.5
    std: float = Field(default=0.5, gt=0)
    body_height_mm: float | None = Field(default=None, ge=10, le=60)

    def model_post_init(self, context: Any) -> None:
        """Refuse channels without a window and windows without a width."""
        for channel in self.channels:
            if channel != "gaussian" and channel not in self.windows_hu:
                raise ConfigError(
                    f'[input] channels names "{channel}", which has no window; expected '
                    f'"gaussian" or one of {sorted(self.windows_hu)}. Add it to windows_hu.'
                )
        for name, (low, high) in self.windows_hu.items():
            if not low < high:
                raise ConfigError(
                    f"[input] windows_hu.{name} is {(low, high)}; expected low < high in HU."
                )


class TrunkSettings(Settings):
    """The convolutional trunk and where it is cut.

    Parameters
    ----------
    name : str
        A key of ``BACKBONES``.
    blocks : int
        Stages (or blocks) kept, from the stem on.
    max_stride : int
        Blocks that would coarsen the grid beyond this stride keep it instead.
    widths : tuple of int
        Channels of each stage of the plain ``"conv"`` trunk.
    width : float
        Factor on the channels of the 3-D encoders; 1 ends in 512 units.
    weights : str
        ``"imagenet"`` (shipped by a package), ``"none"`` (from scratch) or a file.
    extra_channels : str
        How a first convolution with loaded weights takes further input channels, which
        repeat its weights: ``"scaled"`` keeps the size of its response to a gray image,
        ``"copied"`` leaves the weights of the first channels as they are.
    """

    name: str = "efficientnet_lite0"
    blocks: int = Field(default=11, ge=1)
    max_stride: int = Field(default=16, ge=2)
    widths: tuple[int, ...] = (16, 32, 64)
    width: float = Field(default=1.0, gt=0, le=4)
    weights: str = "imagenet"
    extra_channels: Literal["scaled", "copied"] = "scaled"


class HeadSettings(Settings):
    """The classification head: prototypes, a linear layer, or the 3-D fracture detector's.

    ``kind`` is a key of :data:`spinexplain.config.heads.HEADS`.
    ``dropout`` and ``width`` (a factor on its channels) are the detector's. ``pooling`` is
    the linear layer's: the average over the grid, or the average weighted by the Gaussian
    channel, so that the features beside the target count. The classifier that warms up a
    prototype network's trunk uses it too.
    ``region`` says what is outlined of a similarity map: half and four fifths of what
    rises above its median, the pixels over its 98th percentile, or 98 % of its sum.
    ``addressed`` gives every prototype a part of the body (see
    :mod:`spinexplain.models.heads.parts`): four parts of a fractured class and three of the
    healthy one, which is the first; ``prototypes_per_class`` is not used then.
    ``add_on_width`` is that of the layer between trunk and latent patches; 0 takes
    ``feature_dim``.
    ``kept`` lists the prototypes that curation left, counted from 0 among those that the
    settings above make; empty where all are there.
    ``silenced`` lists the units of the trunk, counted from 0, that curation holds at one level,
    so that a detector or a linear layer no longer listens to them.
    """

    kind: str = "prototype"
    dropout: float = Field(default=0.0, ge=0, lt=1)
    width: float = Field(default=1.0, gt=0, le=4)
    pooling: Literal["average", "target"] = "average"
    feature_dim: int = Field(default=64, ge=1)
    prototypes_per_class: int = Field(default=3, ge=1)
    addressed: bool = False
    add_on_width: int = Field(default=0, ge=0)
    kept: tuple[int, ...] = ()
    silenced: tuple[int, ...] = ()
    similarity: Literal["log", "cosine"] = "log"
    log_epsilon: float = Field(default=1e-4, gt=0)
    own_class_connection: float = 1.0
    other_class_connection: float = -0.5
    initial_prototypes: Literal["uniform", "own_class_patches"] = "own_class_patches"
    region: Region = "contours"

    def model_post_init(self, context: Any) -> None:
        """Refuse a kind that is not registered."""
        head_of(self.kind)


MAX_OUTSIDE = 0.35
"""Largest share of a crop outside the scan by default: crops at the ends of a scan reach beyond
it, and the center with the vertebra is there."""


class TrainConfig(Settings):
    """Everything a training needs besides its data.

    ``sampling = "balanced"`` shows every class equally often, the small ones repeatedly;
    ``"parts"`` half fractures, of them superior, inferior and both endplates of every grade
    equally often. ``twin_share`` of every crop then are healthy twins, taken off the healthy.
    ``continue_from`` says where the next of several ``rounds`` of joint training starts:
    from the prototypes as trained before projection, or from what projection and the last
    layer made of them, as ProtoPNet does.

    Parameters
    ----------
    classes : tuple of str
        Names of the classes, in the order of the logits.
    grades : dict of str to tuple of str
        Which Genant grades each class stands for; a class named like a grade needs no
        entry. Vertebrae whose grade is in no class are left out.
    max_outside : float
        Largest share of its crop that may lie outside a scan for the finished model to grade it.
    volume_augment : VolumeAugmentSettings, optional
        Replaces ``augment`` for boxes.

    Examples
    --------
    >>> TrainConfig(loss={"lambda_div": 0.1}).loss.lambda_div
    0.1
    >>> grades = {"no fracture": ["G0"], "fracture": ["G2", "G3"]}
    >>> TrainConfig(classes=tuple(grades), grades=grades).task.fracture_grades
    ('G2', 'G3')
    """

    name: str = "protoverse"
    classes: tuple[str, ...] = ("G0", "G2", "G3")
    grades: dict[str, tuple[Grade, ...]] = Field(default={})
    seed: int = 0
    validation_share: float = Field(default=0.1, gt=0, lt=1)
    max_outside: float = Field(default=MAX_OUTSIDE, ge=0, le=1)
    rounds: int = Field(default=1, ge=1)
    continue_from: Literal["trained", "projected"] = "trained"
    sampling: Literal["shuffled", "balanced", "parts"] = "shuffled"
    twin_share: float = Field(default=0.0, ge=0, lt=0.5)
    input: InputSpec = InputSpec()
    trunk: TrunkSettings = TrunkSettings()
    head: HeadSettings = HeadSettings()
    loss: LossSettings = LossSettings()
    augment: AugmentSettings = AugmentSettings()
    volume_augment: VolumeAugmentSettings | None = None
    simulated: SimulatedSettings = SimulatedSettings()
    detector: EpochSettings = EpochSettings()
    dissection: DissectionSettings = DissectionSettings()
    classifier: PhaseSettings = PhaseSettings(steps=600, trunk_lr=1e-3, head_lr=3e-3)
    warm: PhaseSettings = PhaseSettings(steps=200)
    joint: PhaseSettings = PhaseSettings(steps=400)
    projection: ProjectionSettings = ProjectionSettings()
    last_layer: LastLayerSettings = LastLayerSettings()

    @property
    def task(self) -> Task:
        """What the classes stand for, in the order of the logits."""
        return derived_task(self.classes, self.grades)

    def model_post_init(self, context: Any) -> None:
        """Refuse a class without grades, a grade in two classes, parts given to the wrong class."""
        if strangers := sorted(set(self.grades) - set(self.classes)):
            raise ConfigError(
                f"[grades] names {strangers}, which are not in classes {list(self.classes)}. "
                "Correct the name."
            )
        task = self.task
        empty = [name for name in self.classes if not task.grades_of(name)]
        if self.grades and empty:
            raise ConfigError(
                f'class "{empty[0]}" stands for no grade; expected at least one of '
                f"{', '.join(GENANT_GRADES)}. Add it to [grades]."
            )
        if self.head.addressed and task.healthy_index != 0:
            raise ConfigError(
                f'[head] addressed gives the first class the healthy parts; "{self.classes[0]}" is '
                f'first and "{task.healthy}" is healthy. Put "{task.healthy}" first in classes.'
            )


def preset_names() -> list[str]:
    """List the presets that come with the package, sorted."""
    folder = resources.files("spinexplain.config") / "presets"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def read_config(source: str | Path) -> TrainConfig:
    """Read a training configuration from a TOML file or a preset's name.

    Parameters
    ----------
    source : str or Path
        A path ending in ``.toml``, or one of :func:`preset_names`.

    Raises
    ------
    ConfigError
        If there is no such file or preset, the TOML is broken, a key is unknown (the
        nearest known one is suggested) or a value is out of range.

    Examples
    --------
    >>> read_config("protoverse").head.prototypes_per_class
    3
    """
    text = _config_text(source)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not valid TOML: {error}. Correct that line.") from None
    return parse_config(content, str(source))


def parse_config(content: dict[str, Any], source: str) -> TrainConfig:
    """Check a configuration given as nested dictionaries.

    A key ``task`` names one of :data:`spinexplain.config.tasks.TASKS` in place of classes and
    grades.

    Raises
    ------
    ConfigError
        Naming ``source``, the section, the key and what was expected.

    Examples
    --------
    >>> parse_config({"loss": {"lamda_div": 1.0}}, "my.toml")
    Traceback (most recent call last):
    spinexplain.errors.ConfigError: Unknown key "lamda_div" in [loss] of my.toml. Did you mean
    "lambda_div"?
    """
    try:
        return TrainConfig.model_validate(with_task(content, source))
    except ValidationError as error:
        raise ConfigError(_explain(error, source)) from None
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if source in message else f"{source}: {message}") from None


def _config_text(source: str | Path) -> str:
    named = str(source).replace("_", "-")
    if named in preset_names():
        return (resources.files("spinexplain.config") / "presets" / f"{named}.toml").read_text(
            "utf-8"
        )
    path = Path(source)
    if path.suffix != ".toml" or not path.is_file():
        near = difflib.get_close_matches(str(source), preset_names(), n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ConfigError(
            f'"{source}" is neither a preset ({", ".join(preset_names())}) nor a .toml file.{hint}'
        )
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file; expected TOML in UTF-8.") from None


def _explain(error: ValidationError, source: str) -> str:
    first = error.errors()[0]
    *section, key = [str(part) for part in first["loc"]] or [""]
    where = f"in [{'.'.join(section)}] of {source}" if section else f"at the top of {source}"
    if first["type"] != "extra_forbidden":
        return f'"{key}" {where} is {first["input"]!r}: {first["msg"]}. Correct that value.'
    near = difflib.get_close_matches(key, _known_keys(section), n=1)
    hint = (
        f'Did you mean "{near[0]}"?' if near else f"Known keys: {', '.join(_known_keys(section))}."
    )
    return f'Unknown key "{key}" {where}. {hint}'


def _known_keys(section: list[str]) -> list[str]:
    model: Any = TrainConfig
    for name in section:
        annotation = model.model_fields[name].annotation
        model = next((part for part in get_args(annotation) if part is not type(None)), annotation)
    return [*model.model_fields, *([] if section else ["task"])]
