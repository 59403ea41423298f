"""The newcomer's tour: the example scans and a phantom, graded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from spinexplain.jobs.grade import GradeRequest, grade_to_folder, in_words
from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class DemoRequest:
    """What ``demo`` is asked for."""

    out: Path
    seed: int = 7
    force: bool = False


@dataclass(frozen=True)
class Stop:
    """One graded scan of the tour."""

    title: str
    summary: str
    report: Path


def grade_examples(request: DemoRequest, progress: Progress = SILENT) -> list[Stop]:
    """Grade the example scans and a fresh phantom into sub-folders of the output.

    Parameters
    ----------
    request : DemoRequest
    progress : Progress
        Hears those of ``grade`` for every scan.

    Raises
    ------
    OutputError
        If the output exists and ``force`` is not set.
    """
    from spinexplain.io.files import output_folder

    out = request.out
    with output_folder(out, force=request.force) as folder:
        phantom = _write_phantom(folder / "phantom-scan", request.seed)
        with as_file(files("spinexplain.data") / "examples") as examples:
            requests = {
                "Lumbar CT, 3 mm, with a vertebra mask": GradeRequest(
                    ct=examples / "lumbar_ct.nii.gz",
                    labels=examples / "lumbar_seg-vert_msk.nii.gz",
                    out=folder / "lumbar",
                ),
                "Thoracic CT, 1.5 mm, with vertebra centers only": GradeRequest(
                    ct=examples / "thoracic_ct.nii.gz",
                    centroids=examples / "thoracic_ctd.json",
                    out=folder / "thoracic",
                ),
                "The lumbar CT again, with nothing beside it": GradeRequest(
                    ct=examples / "lumbar_ct.nii.gz", out=folder / "bare"
                ),
                "A phantom with planted fractures": phantom,
            }
            graded = [
                (title, scan.out.name, in_words(grade_to_folder(scan, progress)))
                for title, scan in requests.items()
            ]
    return [Stop(title, summary, out / name / "report.html") for title, name, summary in graded]


def _write_phantom(folder: Path, seed: int) -> GradeRequest:
    """Write the demo phantom and return how to grade it."""
    from spinexplain.data.phantom.write import write_phantom

    write_phantom(folder, subjects=1, seed=seed, preset="demo")
    (ct,) = (folder / "rawdata").rglob("*_ct.nii.gz")
    (labels,) = (folder / "derivatives").rglob("*_seg-vert_msk.nii.gz")
    return GradeRequest(ct=ct, labels=labels, out=folder.parent / "phantom")
