"""What readers corrected, put among the crops that a model learns from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.dataset import TrainingSet, class_labels, joined
from spinexplain.errors import ConfigError
from spinexplain.train.grading.part_targets import parts_of_body

_MASKS = ("target", "evidence", "part")


def known_subject(cohort: Cohort, ct_sha256: str, patches: np.ndarray, kind: str) -> str | None:
    """Return whose scan of a cohort a corrected scan is, None where it is nobody's.

    By the SHA-256 of the CT file, and where that is another file by a crop that is the same to
    the bit. The same scan under another file and other centers is not recognized.

    Parameters
    ----------
    cohort : Cohort
    ct_sha256 : str
        Empty where it is not known.
    patches : ndarray of int16, shape (n, *S)
        The corrected scan's crops.
    kind : str
        ``"patches_2d"`` or ``"patches_3d"``.
    """
    same = cohort.index["ct_sha256"].to_numpy() == ct_sha256
    if ct_sha256 and same.any():
        return str(cohort.index["subject"].iloc[int(np.flatnonzero(same)[0])])
    wanted = {patch.astype("<i2").tobytes() for patch in patches}
    rows = np.flatnonzero(cohort.has(kind))
    for start in range(0, len(rows), 256):
        some = rows[start : start + 256]
        for row, patch in zip(some, cohort.read(kind, some), strict=True):
            if patch.astype("<i2").tobytes() in wanted:
                return str(cohort.index["subject"].iloc[int(row)])
    return None


def check_not_held_out(cohort: Cohort, split: str | None, subject: str, where: str) -> None:
    """Refuse a correction of somebody whom a cohort holds out.

    Raises
    ------
    ConfigError
        If ``split`` is what a model learns from and the subject is in another one.
    """
    if split is None:
        return
    own = cohort.index["subject"].to_numpy(str) == subject
    others = sorted({str(s) for s in cohort.index["split"][own].dropna()} - {split})
    if others:
        raise ConfigError(
            f"{where}: is of {subject}, who is in split {others[0]} of {cohort.path.name}; "
            "expected nobody that the model is judged by. Leave this correction out."
        )


def with_corrections(
    training: TrainingSet, validation: TrainingSet, added: TrainingSet, config: TrainConfig
) -> TrainingSet:
    """Put corrected crops among the training crops, in place of those they correct.

    Parameters
    ----------
    training, validation : TrainingSet
        After the validation subjects were set aside; those stay as they are.
    added : TrainingSet
        Corrected crops; subjects of the cohort under their names in it.
    config : TrainConfig

    Returns
    -------
    TrainingSet
        Rows of the same subject and level are dropped; the corrected ones are marked in
        ``added``, and no prototype comes from them, so that an atlas finds every crop in its
        cohort. What a cohort knows and a correction does not (evidence, displacement) is empty
        or unknown in its rows.

    Raises
    ------
    ConfigError
        If a corrected subject is in validation, or no corrected grade is in a class.
    """
    both = sorted(set(added.subjects) & set(validation.subjects))
    if both:
        raise ConfigError(
            f"the corrections are of {both[0]}, who was set aside for validation; expected nobody "
            "that the model is judged by. Leave this correction out, or choose another seed."
        )
    added = added.take(class_labels(added, config.task) >= 0)
    if not len(added):
        raise ConfigError(
            f"no corrected vertebra has a grade of the classes {', '.join(config.classes)}; "
            "expected at least one."
        )
    corrected = set(zip(added.subjects.tolist(), added.levels.tolist(), strict=True))
    own = zip(training.subjects.tolist(), training.levels.tolist(), strict=True)
    kept = training.take(np.array([pair not in corrected for pair in own]))
    kept = replace(kept, added=np.zeros(len(kept), bool))
    return joined([kept, replace(_filled(added, kept), added=np.ones(len(added), bool))])


def _filled(added: TrainingSet, like: TrainingSet) -> TrainingSet:
    """Give corrected crops every array that a cohort's have."""
    found: dict[str, Any] = {}
    for name in _MASKS:
        if getattr(like, name) is not None and getattr(added, name) is None:
            found[name] = np.zeros(added.patches_hu.shape, np.uint8)
    target = added.target
    if "part" in found and target is not None and target.ndim == 3:
        found["part"] = np.stack([parts_of_body(one) for one in target])
    for name in ("simulated", "twins"):
        if getattr(like, name) is not None and getattr(added, name) is None:
            found[name] = np.zeros(len(added), bool)
    return replace(added, **found)


def changes(
    levels: Collection[str],
    subjects: Collection[str],
    before: Collection[str | None],
    read: Collection[str | None],
    after: Collection[str],
) -> list[dict[str, str | bool | None]]:
    """Say of each corrected vertebra what the models and the reader call it.

    Examples
    --------
    >>> changes(["L1"], ["a"], ["G0"], ["G2"], ["G2"])[0]["follows_reader"]
    True
    """
    rows = zip(subjects, levels, before, read, after, strict=True)
    return [
        {
            "subject": subject,
            "level": level,
            "model_before": old,
            "reader": word,
            "model_after": new,
            "changed": old is not None and old != new,
            "follows_reader": new == word,
        }
        for subject, level, old, word, new in rows
    ]
