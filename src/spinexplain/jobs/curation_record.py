"""What a curation is asked for, and its record: log, the model as it was, the way back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from spinexplain.errors import ModelError

AUDIT_FILE, BEFORE = "audit.json", "before"
AUDIT_SCHEMA = "spinexplain/curation/1"
_COSINE = ("prototypes", "centered_cosine")


@dataclass(frozen=True)
class CurateRequest:
    """What ``curate`` is asked for.

    Parameters
    ----------
    run : str
        A run, a bundle or a shipped model.
    decisions, out : Path
    way : {"remove", "replace", "fine-tune", "silence"}
    cohort : Path, optional
        Crops to fit and measure with, where the run does not know its own.
    split : str, optional
        Of the cohort; ``all`` for the whole.
    steps : int
        Of fine-tuning.
    lambda_forbid, lambda_remember : float
        Weights of its losses.
    seed : int
        Of fine-tuning's batches and of the intervals.
    at : str
        When, as it shall stand in the record.
    atlas : bool
        Whether an atlas of both models is drawn.
    dissection : Path, optional
        Of the model; with ``"silence"``, whose means the units are held at.
    """

    run: str
    decisions: Path
    out: Path
    way: Literal["remove", "replace", "fine-tune", "silence"] = "remove"
    cohort: Path | None = None
    split: str | None = None
    steps: int = 300
    lambda_forbid: float = 1.0
    lambda_remember: float = 1.0
    seed: int = 0
    at: str = ""
    atlas: bool = True
    force: bool = False
    dissection: Path | None = None


def roll_back(run: Path, out: Path, at: str = "", force: bool = False) -> dict[str, Any]:
    """Write the model as it was before the last curation, with the same bytes.

    Parameters
    ----------
    run : Path
        What :func:`curate` wrote.
    out : Path
    at : str
        When, as it shall stand in the record.

    Raises
    ------
    ModelError
        If nothing was curated, or what was kept is damaged.
    """
    from spinexplain.io.files import output_folder, sha256_file
    from spinexplain.io.json_file import write_json
    from spinexplain.models.bundle.folder import verify

    before = run / BEFORE
    if not (before / "bundle").is_dir():
        raise ModelError(
            f"{run} keeps no earlier model; expected what `curate` wrote. Name the curated run."
        )
    verify(before / "bundle")
    audit = read_audit(run)
    entry = {
        "what": "roll back",
        "at": at,
        "model_before": model_facts(run / "bundle"),
        "model_after": model_facts(before / "bundle"),
        "manifest_sha256": sha256_file(before / "bundle" / "manifest.json"),
    }
    with output_folder(out, force=force) as folder:
        for item in before.iterdir():
            (shutil.copytree if item.is_dir() else shutil.copy2)(item, folder / item.name)
        write_json(folder / AUDIT_FILE, {"schema": AUDIT_SCHEMA, "entries": [*audit, entry]})
    return entry


def read_audit(run: str | Path) -> list[dict[str, Any]]:
    """Read what was done to a model so far; nothing where nothing was.

    Raises
    ------
    ModelError
        If the log is damaged.
    """
    path = Path(run) / AUDIT_FILE
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != AUDIT_SCHEMA:
            raise ValueError(content["schema"])
        return list(content["entries"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} cannot be read ({type(error).__name__}); expected the log of a curation. "
            "Copy the run again."
        ) from None


def model_facts(bundle: Path) -> dict[str, str]:
    """Return name, version and weights' hash of a bundle, as an entry holds them."""
    from spinexplain.io.files import sha256_file
    from spinexplain.models.bundle.folder import read_description

    described = read_description(bundle)
    return {
        "name": described.name,
        "version": described.version,
        "weights_sha256": sha256_file(bundle / "model.safetensors"),
    }


def keep_before(run: str, bundle: Path, folder: Path) -> None:
    """Copy the model as it was, byte for byte, with what its run knew."""
    folder.mkdir()
    shutil.copytree(bundle, folder / "bundle")
    source = Path(run)
    for name in ("cohort.json", "decisions.json", BEFORE):
        item = source / name
        if item.is_dir():
            shutil.copytree(item, folder / name)
        elif item.is_file():
            shutil.copy2(item, folder / name)


def in_words(entry: dict[str, Any]) -> list[str]:
    """Say what a curation did, a line a figure."""
    figures = entry["figures"]
    lines = [_line("class-average F1", figures, ("grades", "f1"))]
    lines += [_line("accuracy", figures, ("grades", "accuracy"))]
    gain = figures["accuracy_gain"]
    if gain["low"] is not None:
        lines.append(
            f"accuracy gained: {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
        )
    for name, place in (("AUC", ("detection", "auc")), ("centered cosine", _COSINE)):
        if _found(figures["before"], place) is not None:
            lines.append(_line(name, figures, place))
    for question in ("endplate", "third", "side"):
        for key, name in (("value", "placement"), ("gain", "skill")):
            path = ("evidence", "placement", question, key)
            if _found(figures["before"], path) is not None:
                lines.append(_line(f"{question}: {name}", figures, path))
    return lines


def _line(name: str, figures: dict[str, Any], path: Sequence[str]) -> str:
    numbers = [_found(figures[when], path) for when in ("before", "after")]
    shown = [f"{number:.3f}" if isinstance(number, float) else "-" for number in numbers]
    return f"{name}: {shown[0]} -> {shown[1]}"


def _found(content: Any, path: Sequence[str]) -> Any:
    for key in path:
        if not isinstance(content, dict) or key not in content:
            return None
        content = content[key]
    return content["value"] if isinstance(content, dict) else content
