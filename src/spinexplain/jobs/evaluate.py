"""How good a model's grades are on a cohort: predictions, figures and a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class EvaluateRequest:
    """What ``evaluate`` is asked for.

    Parameters
    ----------
    model : str
        A shipped model's name, a bundle or a run.
    cohort, out : Path
    split : {"training", "validation", "test", "all"}
    seed : int
        Of the intervals.
    """

    model: str
    cohort: Path
    out: Path
    split: str = "test"
    seed: int = 0
    force: bool = False


def evaluate_to_folder(
    request: EvaluateRequest, progress: Progress = SILENT
) -> dict[str, dict[str, dict[str, float]]]:
    """Evaluate and write everything, complete or not at all; return the figures.

    Raises
    ------
    SpinexplainError
        If model, cohort, split or output folder are wrong.
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.evaluate.figures import without_nan
    from spinexplain.evaluate.predictions import write_predictions
    from spinexplain.experiment.evaluation import evaluate_model
    from spinexplain.experiment.verdicts import cohort_losses, judged_table
    from spinexplain.findings.weighing import stored_calibration
    from spinexplain.io.files import output_folder
    from spinexplain.report.evaluation_page import write_evaluation_page
    from spinexplain.ui.plots import confusion_png, reliability_png

    opened = Cohort.open(request.cohort)
    with output_folder(request.out, force=request.force) as folder:
        with progress.stage("grade"):
            found = evaluate_model(request.model, opened, request.split, request.seed)
        with progress.stage("verdict"):
            losses = cohort_losses(found.index)
            table, said = judged_table(
                found.grader, found.data, found.table, stored_calibration(), losses
            )
            figures = found.figures | ({} if said is None else {"verdict": without_nan(said)})
        with progress.stage("write"):
            write_predictions(table, folder / "predictions.parquet")
            text = json.dumps(figures, indent=1, allow_nan=False)
            (folder / "figures.json").write_text(text + "\n", "utf-8")
            confusion_png(figures, folder / "confusion.png")
            reliability_png(figures, folder / "reliability.png")
            write_evaluation_page(figures, table, found.crops_hu, folder)
    return figures
