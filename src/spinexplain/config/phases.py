"""Settings of the loss and of the phases that minimize it, down to projection and last layer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spinexplain.config.sections import Settings

ClassWeights = Literal["none", "ins", "isns", "median", "as_printed"]


class LossSettings(Settings):
    """Weights of the loss terms; a negative ``lambda_sep`` pushes other classes away.

    ``lambda_outside`` weighs the share of own-class activation (to ``outside_power``, so
    that the peak counts more than the floor) outside the target's body;
    with ``inside = "evidence"`` outside the fracture's true evidence, where a cohort knows
    it (phantoms do), and outside the body for every other crop.
    ``grading = "ordinal"`` counts every boundary between grades that a prediction is on the
    wrong side of; the last layer of a prototype network is fitted by cross-entropy always.
    ``grading = "soft"`` is the cross-entropy against the shares of raters who saw each class
    (in the last layer too); where a cohort has no raters, against the grade alone.
    ``normalize`` says what the class-weighted loss is divided by: the sum of the crops'
    ``"weights"``, so that a scheme's scale is lost and ``ins`` and ``median`` are one loss, or
    the number of ``"samples"``, as equation 4 of ProtoVerse prints it; there the scale of the
    weights shifts the balance with the other terms. The last layer follows.
    ``lambda_height`` weighs the regression of the relative height loss that helps the
    classifier phase to learn from few steps; it needs a cohort that knows the loss.
    ``lambda_joint_height`` weighs the same in the joint phase of a prototype network, whose
    trunk then goes on measuring heights while prototypes move it.
    ``lambda_place`` and ``lambda_part`` are for addressed prototypes and need a cohort that
    knows what fractures moved: the first weighs where each lights up, the second which of a
    class wins. ``lambda_place`` alone is for a plain classifier (``kind = "linear"``), too:
    there it weighs where the class activation maps light up.
    """

    lambda_clst: float = 0.8
    lambda_sep: float = -0.08
    lambda_div: float = Field(default=0.3, ge=0)
    lambda_l1: float = Field(default=1e-4, ge=0)
    lambda_outside: float = Field(default=0.0, ge=0)
    outside_power: float = Field(default=1.0, ge=1)
    inside: Literal["body", "evidence"] = "body"
    lambda_height: float = Field(default=0.0, ge=0)
    lambda_joint_height: float = Field(default=0.0, ge=0)
    lambda_place: float = Field(default=0.0, ge=0)
    lambda_part: float = Field(default=0.0, ge=0)
    diversity: Literal["centered", "cosine", "raw_dot"] = "centered"
    class_weights: ClassWeights = "median"
    normalize: Literal["samples", "weights"] = "weights"
    grading: Literal["cross_entropy", "ordinal", "soft"] = "cross_entropy"


class PhaseSettings(Settings):
    """One phase of gradient descent: steps, batch, learning rates, weight decay.

    ``decay = "step"`` divides the rates by ten after every ``decay_every_steps`` (0: after
    each third of the phase), counted on over several rounds of the phase and begun
    ``decay_early_steps`` too soon, as where a scheduler steps before the epoch.
    ``optimizer = "adam"`` adds the weight decay to the gradient, ``"adamw"`` keeps it apart.
    ``average`` is the share that stays, each step, of a running average of the weights; the
    phase ends with that average instead of with its last step. 0 keeps none.
    ``precision`` is that of the layers' forward and backward pass; distances, losses,
    BatchNorm statistics, weights, projection and last layer stay in float32.
    """

    steps: int = Field(default=0, ge=0)
    batch: int = Field(default=32, ge=1)
    trunk_lr: float = Field(default=1e-4, ge=0)
    head_lr: float = Field(default=3e-3, ge=0)
    weight_decay: float = Field(default=1e-3, ge=0)
    decay: Literal["cosine", "step", "none"] = "cosine"
    decay_every_steps: int = Field(default=0, ge=0)
    decay_early_steps: int = Field(default=0, ge=0)
    optimizer: Literal["adamw", "adam"] = "adamw"
    average: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16"] = "fp32"


class LastLayerSettings(Settings):
    """The convex last layer on cached similarities.

    ``class_weights`` replaces the loss's scheme here, because the last layer sets how
    readily a fracture is called; left out, it is the same. ``class_shares`` weighs the
    crops as if each class made up this share of them, e.g. that of the patients to come,
    and replaces any scheme. ``solver = "adam"`` descends ``steps`` steps of ``batch`` crops
    at rate ``lr`` instead, as ProtoPNet does; it knows neither ``lambda_l2``,
    ``constrained`` nor ``tied``. ``tied`` gives the prototypes of a class one own-class
    connection: fitted freely, one part takes over what the others show as well.
    """

    solver: Literal["convex", "adam"] = "convex"
    steps: int = Field(default=8000, ge=0)
    batch: int = Field(default=80, ge=1)
    lr: float = Field(default=1e-4, gt=0)

    lambda_l1: float = Field(default=1e-4, ge=0)
    lambda_l2: float = Field(default=1e-4, ge=0)
    constrained: bool = True
    tied: bool = False
    class_weights: ClassWeights | None = None
    class_shares: dict[str, float] | None = None
    augmented_views: int = Field(default=0, ge=0)


class ProjectionSettings(Settings):
    """Which training patches a prototype may become.

    ``inside_target`` keeps to cells that lie inside what the loss calls ``inside``.
    """

    allow_duplicates: bool = False
    apart_cells: int = Field(default=3, ge=0)
    largest_cosine: float = Field(default=0.95, gt=0, le=1)
    inside_target: bool = False
