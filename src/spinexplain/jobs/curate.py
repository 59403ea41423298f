"""A clinician's decisions in, a model that follows them out, with all that was done on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.errors import ConfigError, ModelError
from spinexplain.jobs.curation_record import (
    AUDIT_FILE,
    AUDIT_SCHEMA,
    BEFORE,
    CurateRequest,
    keep_before,
    model_facts,
    read_audit,
)
from spinexplain.progress import SILENT, Progress, Steps

if TYPE_CHECKING:
    from spinexplain.analysis.curation import Judged
    from spinexplain.data.cohort import Cohort
    from spinexplain.train.curation.carry_out import Curated, Order
    from spinexplain.train.curation.sets import CurationSets
    from spinexplain.train.grading.run_folder import OpenedRun


def curate(request: CurateRequest, progress: Progress = SILENT) -> dict[str, Any]:
    """Carry decisions out on a model and write the run of the new one, whole or not at all.

    Parameters
    ----------
    request : CurateRequest
    progress : Progress

    Returns
    -------
    dict
        The last entry of ``audit.json``. Beside it lie ``bundle/``, ``decisions.json``,
        ``atlas/`` with both models, and ``before/``, the model as it was.

    Raises
    ------
    SpinexplainError
        If the run, the decisions or the cohort are wrong, or cannot be carried out.
    """
    from spinexplain.io.files import output_folder
    from spinexplain.train.grading.run_folder import open_run

    if request.way == "silence":
        from spinexplain.jobs.silence import silence

        return silence(request, progress)
    opened = open_run(request.run)
    order = _order(request, opened)
    cohort, split = _cohort(request, opened)
    sets = _sets(order, cohort, split)
    if sets.fingerprint != opened.fingerprint:
        progress.note(
            f"The model did not learn from {cohort.path.name}: its connections are fitted to "
            f"{len(sets.training)} crops of it. Compare the evidence before and after."
        )
    with output_folder(request.out, force=request.force) as folder:
        entry = _carried_out(request, opened, order, (cohort, split, sets), folder, progress)
    return entry


def _order(request: CurateRequest, opened: OpenedRun) -> Order:
    """Read the decisions and make sure that they can be carried out on this model."""
    from spinexplain.explainers.prototypes import prototype_names
    from spinexplain.models.bundle.decisions import painted_cells, read_decisions
    from spinexplain.train.curation.carry_out import Order, check_rejected

    if opened.config is None:
        raise ModelError(
            f'model "{opened.grader.info.name}" does not hold the settings of its training; '
            "expected a bundle that `train` wrote. Train it again."
        )
    spec = opened.grader.spec
    names = prototype_names(opened.grader.classes, opened.model.prototype_class, opened.model.parts)
    decisions = read_decisions(
        request.decisions, opened.grader.info, names, painted_cells(spec.extent_mm, spec.axes)
    )
    check_rejected(decisions)
    return Order(opened.grader, opened.config, decisions)


def _cohort(request: CurateRequest, opened: OpenedRun) -> tuple[Cohort, str | None]:
    from spinexplain.data.cohort import Cohort

    path = request.cohort or opened.cohort
    if path is None:
        raise ConfigError(
            f'model "{opened.grader.info.name}" does not know its cohort; expected one to fit the '
            "last layer to. Name a prepared cohort with --cohort."
        )
    if request.split is not None:
        split = None if request.split == "all" else request.split
    else:
        split = opened.split if request.cohort is None else None
    return Cohort.open(path), split


def _sets(order: Order, cohort: Cohort, split: str | None) -> CurationSets:
    from spinexplain.train.curation.sets import curation_sets

    return curation_sets(order.config, cohort, split)


def _carried_out(
    request: CurateRequest,
    opened: OpenedRun,
    order: Order,
    data: tuple[Cohort, str | None, CurationSets],
    folder: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Fill the new run's folder; return what was done."""
    from spinexplain.io.json_file import write_json
    from spinexplain.models.bundle.decisions import dumped_decisions
    from spinexplain.models.bundle.folder import locate
    from spinexplain.models.bundle.store import load_grader, save_bundle

    cohort, split, sets = data
    before = _judged(request, opened.grader, data, progress, "before")
    with progress.stage(request.way):
        curated = _by_way(request, order, sets, folder, progress)
    entry = _entry(request, opened, order, data)
    bundle, fates = _bundle(request, opened, curated, sets, entry)
    save_bundle(bundle, folder / "bundle")
    after = _judged(
        request, load_grader(folder / "bundle", runtime="torch"), data, progress, "after"
    )
    entry |= {"prototypes": fates, "model_after": model_facts(folder / "bundle")}
    entry |= _compared(request, before, after, sets)
    keep_before(request.run, locate(request.run), folder / BEFORE)
    (folder / "decisions.json").write_text(dumped_decisions(order.decisions), "utf-8")
    known = {"path": str(cohort.path.resolve()), "split": split, "fingerprint": sets.fingerprint}
    write_json(folder / "cohort.json", known)
    content = {"schema": AUDIT_SCHEMA, "entries": [*read_audit(request.run), entry]}
    write_json(folder / AUDIT_FILE, content)
    if request.atlas:
        _draw_atlas(opened, folder, (cohort, split), progress)
    return entry


def _judged(
    request: CurateRequest,
    grader: Any,
    data: tuple[Cohort, str | None, CurationSets],
    progress: Progress,
    when: str,
) -> Judged:
    from spinexplain.analysis.curation import judge, validation_bench

    cohort, split, sets = data
    subjects = sets.validation_subjects
    scoring = validation_bench(cohort, grader, split, subjects, request.seed)
    heard = Steps(lambda step, done, total: progress.step(f"{when}: {step}", done, total))
    return judge(grader, sets.validation, scoring, heard)


def _by_way(
    request: CurateRequest, order: Order, sets: CurationSets, folder: Path, progress: Progress
) -> Curated:
    from spinexplain.train.curation.carry_out import fine_tune, remove, replace
    from spinexplain.train.curation.fine_tuning import FineTuning
    from spinexplain.train.engine.journal import Journal
    from spinexplain.train.engine.processes import start_fabric

    if request.way == "remove":
        return remove(order, sets.training)
    if request.way == "replace":
        return replace(order, sets.training)
    log = folder / "fine-tuning"
    log.mkdir()
    config = order.config.model_copy(update={"seed": request.seed})
    arguments = (config, sets.training, sets.validation, Journal(log), progress, start_fabric())
    settings = FineTuning(request.steps, request.lambda_forbid, request.lambda_remember)
    return fine_tune(order, arguments, settings)


def _entry(
    request: CurateRequest,
    opened: OpenedRun,
    order: Order,
    data: tuple[Cohort, str | None, CurationSets],
) -> dict[str, Any]:
    from spinexplain.io.files import sha256_file

    cohort, split, sets = data
    info = opened.grader.info
    tuned = {
        "steps": request.steps,
        "lambda_forbid": request.lambda_forbid,
        "lambda_remember": request.lambda_remember,
    }
    return {
        "what": request.way,
        "at": request.at,
        "reader": order.decisions.reader,
        "settings": {"seed": request.seed, "alike": order.alike}
        | (tuned if request.way == "fine-tune" else {}),
        "decisions": [one.model_dump(mode="json") for one in order.decisions.decisions],
        "decisions_sha256": sha256_file(request.decisions),
        "cohort": {
            "name": cohort.path.name,
            "split": split,
            "fingerprint": sets.fingerprint,
            "learned_from": sets.fingerprint == opened.fingerprint,
        },
        "model_before": {
            "name": info.name,
            "version": info.version,
            "weights_sha256": info.weights_sha256,
        },
    }


def _bundle(
    request: CurateRequest,
    opened: OpenedRun,
    curated: Curated,
    sets: CurationSets,
    entry: dict[str, Any],
) -> tuple[Any, list[dict[str, Any]]]:
    """Pack the new model; return its bundle and what became of every prototype."""
    from spinexplain.explainers.prototypes import prototype_names
    from spinexplain.models.bundle.folder import locate
    from spinexplain.train.curation.package import Origin, curated_bundle, fates

    origin = Origin(locate(request.run), opened.description)
    assert opened.config is not None
    classes = opened.grader.classes
    names = [
        prototype_names(classes, model.prototype_class, model.parts)
        for model in (opened.model, curated.model)
    ]
    steps = [*opened.description.training.get("curation", []), entry]
    notes = {"curation": steps}
    bundle = curated_bundle(
        origin,
        curated,
        sets.training,
        f"{opened.config.name}-{request.out.name}",
        notes,
        _section(entry),
        _of_another_cohort(entry, sets),
    )
    found = fates(origin, curated, bundle.records, (names[0], names[1]))
    entry["prototypes"] = found
    return bundle, found


def _of_another_cohort(entry: dict[str, Any], sets: CurationSets) -> str:
    """Say what comes from a cohort that the model did not learn from before."""
    cohort = entry["cohort"]
    if cohort["learned_from"]:
        return ""
    kind = "synthetic" if sets.training.synthetic else "patients'"
    return (
        f"; curated ({entry['what']}) on {len(sets.training)} {kind} crops of cohort "
        f"{cohort['name']}"
    )


def _section(entry: dict[str, Any]) -> str:
    """Return what the model card says of the curation."""
    rejected = [one for one in entry["decisions"] if one["choice"] != "keep"]
    lines = [
        f"- {one['name']}: {one['choice']}" + (f" ({one['reason']})" if one["reason"] else "")
        for one in rejected
    ]
    by = f" by {entry['reader']}" if entry["reader"] else ""
    return "\n".join(
        [
            f"## Curation of {entry['model_before']['name']} {entry['model_before']['version']}",
            "",
            f"{len(rejected)} prototypes rejected{by}; carried out with --{entry['what']}. The "
            "figures above are those of the model before.",
            "",
            *lines,
        ]
    )


def _compared(
    request: CurateRequest, before: Judged, after: Judged, sets: CurationSets
) -> dict[str, Any]:
    from spinexplain.analysis.curation import accuracy_gain

    gain = accuracy_gain(before, after, sets.validation.subjects, request.seed)
    return {
        "figures": {"before": before.figures, "after": after.figures, "accuracy_gain": gain},
    }


def _draw_atlas(
    opened: OpenedRun, folder: Path, data: tuple[Cohort, str | None], progress: Progress
) -> None:
    """Draw both models side by side; with training crops where they are those of the cohort."""
    from spinexplain.analysis.atlas.build import measure_atlas
    from spinexplain.analysis.atlas.crops import training_data
    from spinexplain.report.atlas_html import write_atlas
    from spinexplain.train.grading.run_folder import open_run

    heard = Steps(lambda step, done, total: progress.step(f"atlas: {step}", done, total))
    made = []
    for run in (open_run(str(folder)), opened):
        try:
            crops = training_data(run, [data[0]], data[1])
            made.append(measure_atlas(run, crops, progress=heard))
        except ModelError:  # the bundle's prototypes come from other crops
            made.append(measure_atlas(run))
    write_atlas(made[0], folder / "atlas", made[1])
