"""Prototypes beside class activation maps: chosen vertebrae of a scan, explained by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.errors import ConfigError, LabelError
from spinexplain.io.files import check_new_file
from spinexplain.jobs.grade import GradeRequest, read_inputs
from spinexplain.progress import SILENT, Progress
from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from spinexplain.anatomy import VertebraLevel
    from spinexplain.findings.scan import Comparison


@dataclass(frozen=True)
class CompareRequest:
    """What ``compare`` is asked for.

    Parameters
    ----------
    scan : GradeRequest
        Which scan, and where its vertebrae are; ``out`` is the figure.
    levels : tuple of str
        Vertebrae to show, such as ``L2``.
    model : str
        A prototype model.
    beside : str, optional
        The model whose class activation maps are shown; the same if None.
    theme : {"light", "dark"}
    """

    scan: GradeRequest
    levels: tuple[str, ...]
    model: str = DEFAULT_MODEL
    beside: str | None = None
    theme: str = "light"


def compare_to_figure(
    request: CompareRequest, progress: Progress = SILENT
) -> list[tuple[VertebraLevel, Comparison]]:
    """Explain the vertebrae and draw the figure.

    Returns
    -------
    list of (VertebraLevel, Comparison)
        In the order asked for.

    Raises
    ------
    SpinexplainError
        If any input is wrong or the figure exists; nothing is written then.
    """
    from spinexplain.report.side_by_side import check_format, write_comparison

    _check(request)
    check_format(request.scan.out)
    wanted = levels_named(request.levels)
    models = [name for name in (request.model, request.beside) if name is not None]
    made = compared(request.scan, wanted, models, progress)
    with progress.stage("draw"):
        write_comparison(made, request.scan.out, request.theme)
    return list(zip(wanted, made, strict=True))


def compared(
    request: GradeRequest,
    wanted: Sequence[VertebraLevel],
    models: Sequence[str],
    progress: Progress = SILENT,
) -> list[Comparison]:
    """Explain chosen vertebrae of a scan by a prototype model and, beside it, by class maps.

    Parameters
    ----------
    request : GradeRequest
        Which scan, and where its vertebrae are.
    wanted : sequence of VertebraLevel
    models : sequence of str
        The prototype model, and the one the maps are of if it is another.
    progress : Progress
        Hears the stages ``read``, ``localize`` and ``explain``.
    """
    from spinexplain.findings.assess import compare
    from spinexplain.findings.vertebrae import scan_vertebrae
    from spinexplain.models.bundle.store import load_grader

    with progress.stage("read"):
        inputs = read_inputs(request, progress)
    with progress.stage("localize"):
        spine = scan_vertebrae(
            inputs.volume, inputs.labels, inputs.centroids, inputs.body, request.first_level
        )
    with progress.stage("explain"):
        graders = [load_grader(name) for name in models]
        return compare(inputs.volume, spine.vertebrae, wanted, *graders)


def levels_named(names: Sequence[str]) -> list[VertebraLevel]:
    """Turn names of levels into levels, each once, in the order given.

    Raises
    ------
    ConfigError
        If there is no such thoracic or lumbar level.
    """
    from spinexplain.anatomy import VertebraLevel

    known = {level.value: level for level in VertebraLevel if level.is_graded}
    for name in names:
        if name.upper() not in known:
            raise ConfigError(
                f'--level "{printable(name)}" is no thoracic or lumbar level; expected T1 to T13 '
                "or L1 to L6. Write it as in L2."
            )
    return list(dict.fromkeys(known[name.upper()] for name in names))


def _check(request: CompareRequest) -> None:
    scan = request.scan
    if scan.labels is None and scan.centroids is None:
        raise LabelError(
            "neither --labels nor --centroids was given; the vertebrae must be known before "
            "they can be explained. Give a mask or centroids."
        )
    if request.theme not in ("light", "dark"):
        raise ConfigError(f'--theme is "{printable(request.theme)}"; expected light or dark.')
    check_new_file(scan.out, scan.force)
