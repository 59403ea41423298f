"""The stops of the demo: two real CTs that come with the package, and one phantom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from spinexplain.cli.grading import GradeRequest, grade_to_folder, in_words
from spinexplain.io.files import output_folder


@dataclass(frozen=True)
class Stop:
    """One graded scan of the tour."""

    title: str
    summary: str
    report: Path


def grade_examples(out: Path, force: bool, seed: int) -> Iterator[Stop]:
    """Grade the example scans and a fresh phantom into sub-folders of ``out``.

    Raises
    ------
    OutputError
        If ``out`` exists and ``force`` is not set.
    """
    with output_folder(out, force=force) as folder:
        phantom = _write_phantom(folder / "phantom-scan", seed)
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
                "A phantom with planted fractures": phantom,
            }
            graded = [
                (title, request.out.name, in_words(grade_to_folder(request)))
                for title, request in requests.items()
            ]
    for title, name, summary in graded:
        yield Stop(title, summary, out / name / "report.html")
