"""What is done with one series: fetch, name the vertebrae, grade, write results, deliver."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.io.files import output_folder
from spinexplain.node.ledger import Entry
from spinexplain.node.mailbox import Mailbox
from spinexplain.node.settings import NodeSettings

if TYPE_CHECKING:
    from spinexplain.findings.scan import ScanFindings
    from spinexplain.models.grader import Grader

Stage = Callable[[str], AbstractContextManager[None]]
Loader = Callable[[], "tuple[Grader, ...]"]


@dataclass(frozen=True)
class Outcome:
    """What came out for one series.

    Parameters
    ----------
    urgency : int
        0 for none, 1 to 3 for the severest suspected fracture.
    headline : str
        The suspected levels in words; names no patient.
    """

    urgency: int
    headline: str


def process(
    entry: Entry, mailbox: Mailbox, settings: NodeSettings, load: Loader, stage: Stage
) -> Outcome:
    """Grade a series, unless that was done before, and deliver its results.

    Every step can be repeated: results appear by renaming a folder, have the same UIDs each
    time, and storing them twice changes nothing.

    Parameters
    ----------
    entry : Entry
    mailbox : Mailbox
    settings : NodeSettings
    load : callable
        Returns the models, loaded once.
    stage : callable
        Observes the stages ``fetch``, ``read``, ``vertebrae``, ``grade``, ``write``, ``deliver``.

    Raises
    ------
    SpinexplainError
        If the series cannot be graded.
    MailboxError
        If the other side fails.
    """
    results = settings.state.folder / "results" / entry.key
    _sweep(entry.key, settings.state.folder)
    if not results.is_dir():
        _grade(entry, mailbox, settings, load, stage, results)
    with stage("deliver"):
        mailbox.deliver(sorted(results.glob("*.dcm")))
    content = json.loads((results / "outcome.json").read_text(encoding="utf-8"))
    return Outcome(int(content["urgency"]), str(content["headline"]))


def _sweep(key: str, folder: Path) -> None:
    """Remove what a killed node left of this series; nobody else works on it now."""
    for pattern in (f"work/{key}*", f"results/.{key}-*"):
        for left in folder.glob(pattern):
            shutil.rmtree(left, ignore_errors=True)


def _grade(
    entry: Entry,
    mailbox: Mailbox,
    settings: NodeSettings,
    load: Loader,
    stage: Stage,
    results: Path,
) -> None:
    from spinexplain.dicom_out.folder import dicom_folder
    from spinexplain.findings.assess import grade
    from spinexplain.findings.scan import ScanSource
    from spinexplain.io.read import read_identified_scan
    from spinexplain.node.vertebrae import find_vertebrae
    from spinexplain.results.result_json import write_result

    work = settings.state.folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=entry.key, dir=work) as name:
        with stage("fetch"):
            ct = mailbox.fetch(entry.reference, Path(name))
            wanted = "segmentation" in settings.vertebrae.order
            found = mailbox.segmentations(entry.reference, Path(name)) if wanted else []
        with stage("read"):
            volume, digest = read_identified_scan(ct)
        with stage("vertebrae"):
            cache = settings.state.folder / "localized"
            labels = find_vertebrae(ct, volume, found, settings.vertebrae, cache)
        with stage("grade"):
            x, y, z = volume.array.shape
            source = ScanSource(f"DICOM {digest[:8]}", digest, (x, y, z), volume.spacing_mm)
            findings = grade(volume, labels=labels, models=load(), source=source)
        with stage("write"), output_folder(results, force=True) as folder:
            with dicom_folder(folder / "objects", ct) as made:
                assert made is not None
                made.write(findings, labels)
            for path in sorted((folder / "objects").glob("[!.]*")):
                path.rename(folder / path.name)
            shutil.rmtree(folder / "objects")
            write_result(findings, folder)
            _write_outcome(findings, folder)


def _write_outcome(findings: ScanFindings, folder: Path) -> None:
    from spinexplain.dicom_out.statement import SEVERITIES, statement_of

    suspicious = statement_of(findings).suspicious
    ranks = [SEVERITIES.index(one.final.severity or "mild") + 1 for one in suspicious]
    headline = "; ".join(f"{one.level.value} {one.final.words}" for one in suspicious)
    content = {"urgency": max(ranks, default=0), "headline": headline}
    (folder / "outcome.json").write_text(json.dumps(content), encoding="utf-8")
