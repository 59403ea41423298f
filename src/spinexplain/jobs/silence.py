"""Units that a clinician rejected, silenced in a model, with all that was done on record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.errors import ConfigError, ModelError
from spinexplain.progress import SILENT, Progress, Steps

if TYPE_CHECKING:
    from spinexplain.analysis.curation import Judged
    from spinexplain.analysis.explanations.figures import Scoring
    from spinexplain.config.training import TrainConfig
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.dataset import TrainingSet
    from spinexplain.jobs.curation_record import CurateRequest
    from spinexplain.models.bundle.description import BundleDescription
    from spinexplain.models.bundle.unit_decisions import UnitDecisions
    from spinexplain.models.grader import Grader


@dataclass(frozen=True, eq=False)
class _Opened:
    """A model, what is decided about its units, and what they are to be held at."""

    grader: Grader
    description: BundleDescription
    config: TrainConfig
    known: dict[str, str]
    decisions: UnitDecisions
    levels: dict[int, float]


@dataclass(frozen=True, eq=False)
class _Measured:
    """The vertebrae that a model is judged on before and after."""

    cohort: Cohort
    split: str | None
    validation: TrainingSet
    fingerprint: str
    scoring: Scoring | None


def silence(request: CurateRequest, progress: Progress = SILENT) -> dict[str, Any]:
    """Silence rejected units in a model and write the run of the new one, whole or not at all.

    Each is held at its mean over the vertebrae of the dissection, as where the dissection
    measured its effect. No weight changes.

    Parameters
    ----------
    request : CurateRequest
        With a ``dissection``.
    progress : Progress

    Returns
    -------
    dict
        The last entry of ``audit.json``. Beside it lie ``bundle/``, ``decisions.json`` and
        ``before/``, the model as it was.

    Raises
    ------
    SpinexplainError
        If the run, the decisions, the dissection or the cohort are wrong.
    """
    from spinexplain.io.files import output_folder

    opened = _open(request)
    measured = _measured(request, opened)
    with output_folder(request.out, force=request.force) as folder:
        return _carried_out(request, opened, measured, folder, progress)


def _open(request: CurateRequest) -> _Opened:
    from spinexplain.models.bundle.folder import locate, read_description
    from spinexplain.models.bundle.store import load_grader
    from spinexplain.train.grading.run_folder import known_cohort, settings_of

    grader, description = (
        load_grader(request.run, runtime="torch"),
        read_description(locate(request.run)),
    )
    config = settings_of(description)
    if config is None:
        raise ModelError(
            f'model "{grader.info.name}" does not hold the settings of its training; expected a '
            "bundle that `train` wrote. Train it again."
        )
    decisions, levels = _decided(request, grader)
    run = Path(request.run)
    known = known_cohort(run if run.is_dir() else None, description)
    return _Opened(grader, description, config, dict(known), decisions, levels)


def _decided(request: CurateRequest, grader: Grader) -> tuple[UnitDecisions, dict[int, float]]:
    """Read decisions and dissection; return what each rejected unit is to be held at."""
    import numpy as np

    from spinexplain.analysis.dissection.dissect import layer_to_dissect
    from spinexplain.explainers.dissection.store import read_dissection
    from spinexplain.models.bundle.unit_decisions import read_unit_decisions
    from spinexplain.models.heads.prototype import PrototypeNet

    if isinstance(grader.model, PrototypeNet):
        raise ModelError(
            f'model "{grader.info.name}" explains by prototypes; units are silenced in a detector '
            "or a linear classifier. Decide about its prototypes instead."
        )
    if request.dissection is None:
        raise ConfigError(
            "--dissection is missing; expected the dissection in which the units were decided "
            "about: each is held at its mean there."
        )
    dissection = read_dissection(request.dissection)
    dissection.check_model(grader.info)
    layer = layer_to_dissect(grader.model, grader.spec.axes)
    if dissection.layer != layer:
        raise ModelError(
            f'{request.dissection}: layer "{dissection.layer}" was dissected; expected "{layer}", '
            "what the head listens to. Dissect without --layer."
        )
    units = dissection.units
    decisions = read_unit_decisions(request.decisions, grader.info, layer, units)
    levels = {unit: float(dissection.means[unit]) for unit in decisions.rejected}
    if not np.isfinite(list(levels.values())).all():
        raise ModelError(
            f"{request.dissection}: does not hold the units' means, an earlier version wrote it. "
            "Dissect the model again."
        )
    return decisions, levels


def _measured(request: CurateRequest, opened: _Opened) -> _Measured:
    """Open the validation vertebrae as the model's training set them aside."""
    from spinexplain.analysis.curation import validation_bench
    from spinexplain.data.cohort import Cohort
    from spinexplain.train.curation.sets import validation_alone

    path = request.cohort or opened.known.get("path")
    if path is None:
        raise ConfigError(
            f'model "{opened.grader.info.name}" does not know its cohort; expected one to measure '
            "it on. Name a prepared cohort with --cohort."
        )
    cohort = Cohort.open(path)
    split = request.split or (None if request.cohort else opened.known.get("split"))
    split = None if split == "all" else split
    validation, fingerprint = validation_alone(opened.config, cohort, split)
    scoring = validation_bench(cohort, opened.grader, split, validation.subjects, request.seed)
    return _Measured(cohort, split, validation, fingerprint, scoring)


def _carried_out(
    request: CurateRequest,
    opened: _Opened,
    measured: _Measured,
    folder: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Fill the new run's folder; return what was done."""
    from spinexplain.analysis.curation import accuracy_gain
    from spinexplain.io.json_file import write_json
    from spinexplain.jobs.curation_record import (
        AUDIT_FILE,
        AUDIT_SCHEMA,
        BEFORE,
        keep_before,
        model_facts,
        read_audit,
    )
    from spinexplain.models.bundle.folder import locate
    from spinexplain.models.bundle.store import load_grader, save_bundle
    from spinexplain.models.bundle.unit_decisions import dumped_unit_decisions

    before = _judged(opened, opened.grader, measured, progress, "before")
    entry = _entry(request, opened, measured)
    save_bundle(_bundle(request, opened, entry), folder / "bundle")
    after_grader = load_grader(folder / "bundle", runtime="torch")
    after = _judged(opened, after_grader, measured, progress, "after")
    gain = accuracy_gain(before, after, measured.validation.subjects, request.seed)
    entry |= {
        "model_after": model_facts(folder / "bundle"),
        "figures": {"before": before.figures, "after": after.figures, "accuracy_gain": gain},
    }
    keep_before(request.run, locate(request.run), folder / BEFORE)
    (folder / "decisions.json").write_text(dumped_unit_decisions(opened.decisions), "utf-8")
    known = {"path": str(measured.cohort.path.resolve()), "fingerprint": measured.fingerprint}
    write_json(folder / "cohort.json", known | {"split": measured.split})
    content = {"schema": AUDIT_SCHEMA, "entries": [*read_audit(request.run), entry]}
    write_json(folder / AUDIT_FILE, content)
    return entry


def _judged(
    opened: _Opened, grader: Grader, measured: _Measured, progress: Progress, when: str
) -> Judged:
    from spinexplain.analysis.curation import judge_classifier

    heard = Steps(lambda step, done, total: progress.step(f"{when}: {step}", done, total))
    with progress.stage(when):
        return judge_classifier(grader, opened.config, measured.validation, measured.scoring, heard)


def _entry(request: CurateRequest, opened: _Opened, measured: _Measured) -> dict[str, Any]:
    from spinexplain.io.files import sha256_file

    info, decisions = opened.grader.info, opened.decisions
    return {
        "what": "silence",
        "at": request.at,
        "reader": decisions.reader,
        "settings": {"seed": request.seed, "layer": decisions.layer},
        "decisions": [one.model_dump(mode="json") for one in decisions.decisions],
        "decisions_sha256": sha256_file(request.decisions),
        "units": [{"unit": unit, "held_at": level} for unit, level in opened.levels.items()],
        "cohort": {
            "name": measured.cohort.path.name,
            "split": measured.split,
            "fingerprint": measured.fingerprint,
            "learned_from": measured.fingerprint == opened.known.get("fingerprint"),
        },
        "model_before": {
            "name": info.name,
            "version": info.version,
            "weights_sha256": info.weights_sha256,
        },
    }


def _bundle(request: CurateRequest, opened: _Opened, entry: dict[str, Any]) -> Any:
    """Pack the model with its units silenced."""
    from spinexplain.models.bundle.folder import locate
    from spinexplain.models.bundle.store import Bundle
    from spinexplain.models.grader import Scope
    from spinexplain.models.heads.detector import DetectorNet
    from spinexplain.models.heads.prototype import LinearNet
    from spinexplain.train.curation.package import next_version
    from spinexplain.train.curation.silencing import with_silenced

    described, network = opened.description, opened.grader.model
    assert isinstance(network, LinearNet | DetectorNet)
    model, head = with_silenced(
        network,
        described.head,
        len(described.classes),
        described.input,
        opened.levels,
    )
    name, version = f"{described.name}-{request.out.name}", next_version(described.version)
    card = (locate(request.run) / "MODEL_CARD.md").read_text("utf-8").split("\n", 1)
    config = opened.config.model_copy(update={"head": head})
    steps = [*described.training.get("curation", []), entry]
    return Bundle(
        name=name,
        version=version,
        model=model,
        task=described.task,
        spec=described.input,
        trunk=described.trunk,
        head=head,
        scope=Scope(**described.scope.model_dump()),
        trained_on=described.trained_on,
        card=f"# {name} {version}\n{card[-1].rstrip()}\n\n{_section(entry)}\n",
        training=described.training | {"config": config.model_dump(mode="json"), "curation": steps},
    )


def _section(entry: dict[str, Any]) -> str:
    """Return what the model card says of the curation."""
    rejected = [one for one in entry["decisions"] if one["choice"] != "keep"]
    lines = [f"- {one['name']}: {one['choice']} ({one['reason']})" for one in rejected]
    by = f" by {entry['reader']}" if entry["reader"] else ""
    before = entry["model_before"]
    return "\n".join(
        [
            f"## Curation of {before['name']} {before['version']}",
            "",
            f"{len(rejected)} units rejected{by} and silenced: each is held at its mean, no weight "
            "was changed. The figures above are those of the model before.",
            "",
            *lines,
        ]
    )
