"""What every section of a configuration is, and the sections of the 3-D detector."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A frozen section of settings that knows its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AugmentSettings(Settings):
    """Random changes of a training crop; every number is a half-range or a largest value.

    ``noise_grain_mm``, ``sharpen`` (the gain of an unsharp mask) and ``slice_mm`` (thickness
    of slices along the crop's first axis) stand for other scanners; 0 leaves them out.
    """

    shift_mm: float = Field(default=12.0, ge=0)
    centroid_error_mm: float = Field(default=3.0, ge=0)
    rotate_deg: float = Field(default=8.0, ge=0)
    scale: float = Field(default=0.08, ge=0, lt=1)
    gain: float = Field(default=0.08, ge=0)
    offset_hu: float = Field(default=30.0, ge=0)
    noise_hu: float = Field(default=30.0, ge=0)
    blur_mm: float = Field(default=1.0, ge=0)
    noise_grain_mm: float = Field(default=0.0, ge=0)
    sharpen: float = Field(default=0.0, ge=0)
    slice_mm: float = Field(default=0.0, ge=0)


class SimulatedSettings(Settings):
    """Simulated fractures among the training sheets.

    ``share`` of the healthy crops are shown a second time with a fracture that was simulated
    in the sheet; they teach and tune, but no prototype comes from them. With
    ``only_unknown`` none are made for a cohort that knows what its fractures moved.
    """

    share: float = Field(default=0.0, ge=0, le=1)
    only_unknown: bool = False


class VolumeAugmentSettings(Settings):
    """Random changes of a training box, made by MONAI.

    Lengths and angles are half-ranges, the others largest values; ``share`` is how often
    each change is made. ``scale`` is one factor for all axes, so that shapes stay similar.
    ``elastic_mm`` is the standard deviation of the displacement, smooth over
    ``elastic_smooth_mm``. ``rotate_deg`` turns about the caudal, the posterior and the left
    axis. ``mirror`` swaps left and right; there is no key for front and back, which differ.
    """

    share: float = Field(default=1.0, ge=0, le=1)
    shift_mm: float = Field(default=4.0, ge=0)
    rotate_deg: tuple[float, float, float] = (8.0, 8.0, 8.0)
    scale: float = Field(default=0.1, ge=0, lt=1)
    elastic_mm: float = Field(default=0.5, ge=0)
    elastic_smooth_mm: float = Field(default=8.0, gt=0)
    mirror: bool = True
    noise_hu: float = Field(default=40.0, ge=0)
    blur_mm: float = Field(default=0.75, ge=0)
    contrast: float = Field(default=0.25, ge=0)


class EpochSettings(Settings):
    """Training by epochs with as many crops of every class, until validation stops it.

    ``epoch`` says how many crops of each class an epoch has: ``"rarest"`` as many as the
    rarest class, ``"mean"`` the mean over the classes (the frequent ones are undersampled,
    the rare ones oversampled). Training ends after ``epochs``, or when the F1 score on the
    validation subjects has not risen for ``patience`` epochs; the best epoch is kept.
    ``decay = "cosine"`` takes the learning rate to nothing over ``epochs``.
    """

    epochs: int = Field(default=200, ge=1)
    patience: int = Field(default=50, ge=1)
    epoch: Literal["rarest", "mean"] = "mean"
    batch: int = Field(default=16, ge=2)
    lr: float = Field(default=1e-3, gt=0)
    decay: Literal["cosine", "none"] = "none"
    precision: Literal["fp32", "bf16"] = "fp32"


class DissectionSettings(Settings):
    """How the trained network's units are thresholded; recorded with every model.

    ``quantile`` is the level of a unit's activations above which it counts as enabled:
    0.995 in the paper, 0.99 in its released code.
    """

    quantile: float = Field(default=0.995, gt=0, lt=1)
