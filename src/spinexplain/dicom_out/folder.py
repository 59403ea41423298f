"""A folder of DICOM results beside a graded scan: what is refused early, and what is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.dicom_out.print_page import can_print
from spinexplain.dicom_out.segmentation import OwnMask
from spinexplain.dicom_out.statement import ScanStatement
from spinexplain.errors import FileFormatError
from spinexplain.findings.scan import ScanFindings
from spinexplain.io.dicom import read_references
from spinexplain.io.dicom_references import DicomReferences
from spinexplain.io.files import output_folder
from spinexplain.io.read import is_dicom
from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.networks import shipped_folder
from spinexplain.spine.grids import match_grid
from spinexplain.types import LabelMap, Vertebra

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True, eq=False)
class DicomFolder:
    """A folder that is being filled, with what its objects refer to.

    Parameters
    ----------
    folder : Path
        A temporary folder.
    references : DicomReferences
    replaced : tuple of pydicom Dataset
    """

    folder: Path
    references: DicomReferences
    replaced: tuple[Dataset, ...]

    def write(
        self,
        findings: ScanFindings,
        labels: LabelMap | None,
        statement: ScanStatement | None = None,
    ) -> list[Path]:
        """Write the objects of a graded scan.

        Parameters
        ----------
        findings : ScanFindings
        labels : LabelMap or None
            VerSe labels on any grid; brought onto the CT's by the nearest voxel. Without them
            the bodies that the own localizer painted are taken, where it did.
        statement : ScanStatement, optional
            What a reader finalized, from :func:`spinexplain.dicom_out.statement.finalized`; by
            default what follows from the findings.

        Returns
        -------
        list of Path
            The files; the PDF is among them where WeasyPrint is installed.
        """
        from spinexplain.dicom_out.write import DicomResult, write_dicom

        own = own_mask(findings) if labels is None else None
        on_ct = _on_ct(findings, labels)
        result = DicomResult(
            findings,
            self.references,
            on_ct,
            with_pdf=can_print(),
            own_mask=own,
            statement=statement,
            replaced=self.replaced,
        )
        return write_dicom(result, self.folder)

    def write_stages(
        self,
        findings: ScanFindings,
        labels: LabelMap | None,
        stages: Sequence[ScanStatement],
    ) -> list[Path]:
        """Write the last of several statements; its report names those that it replaces.

        Parameters
        ----------
        findings : ScanFindings
        labels : LabelMap or None
            As for :meth:`write`.
        stages : sequence of ScanStatement
            What a reader finalized and each addendum to it, the oldest first. What they hold
            decides their instances, so an earlier one is named without being written again.
        """
        from spinexplain.dicom_out.structured_report import structured_report
        from spinexplain.dicom_out.write import DicomResult, context_of, write_dicom
        from spinexplain.io.quiet import quiet_dicom

        result = DicomResult(
            findings,
            self.references,
            _on_ct(findings, labels),
            with_pdf=can_print(),
            own_mask=own_mask(findings) if labels is None else None,
            replaced=self.replaced,
        )
        for older, stage in zip([None, *stages[:-1]], stages, strict=True):
            if older is not None:
                with quiet_dicom():
                    report = structured_report(context_of(result))
                result = replace(result, replaced=(*result.replaced, report))
            result = replace(result, statement=stage, made_at=_moment(stage))
        return write_dicom(result, self.folder)


def own_mask(findings: ScanFindings) -> OwnMask | None:
    """Return what painted the bodies of a scan, where the own localizer did."""
    found, settled = findings.found, findings.settled
    if found is not None and found.bodies is not None:
        return OwnMask(found.info.version, found.localization.certain)
    if settled is not None and settled.bodies is not None:
        return OwnMask(read_manifest(shipped_folder()).version, names_certain=True)
    return None


def _on_ct(findings: ScanFindings, labels: LabelMap | None) -> LabelMap | None:
    """Return a mask on the CT's lattice: the one given, else the own localizer's bodies."""
    own = findings.found or findings.settled
    if labels is None and own is not None and own.bodies is not None:
        named = _as_named(own.bodies.labels, own.vertebrae, findings)
        labels = named if named.array.any() else None
    return None if labels is None else match_grid(labels, findings.volume)


def _as_named(bodies: LabelMap, around: Sequence[Vertebra], findings: ScanFindings) -> LabelMap:
    """Give painted bodies the names that the vertebrae have now: a reader may have moved them."""
    table = np.zeros(256, np.uint8)
    painted = [one.level for one in around]
    centers = np.array([one.centroid_mm for one in around])
    for item in findings.vertebrae:
        away = np.linalg.norm(centers - np.array(item.vertebra.centroid_mm), axis=1)
        table[painted[int(away.argmin())].verse_label] = item.vertebra.level.verse_label
    return replace(bodies, array=table[bodies.array])


def _moment(statement: ScanStatement) -> datetime | None:
    """Return when a statement was finalized, by the local clock as DICOM's dates are."""
    final = statement.finalization
    return None if final is None else final.at.astimezone().replace(tzinfo=None)


@contextmanager
def dicom_folder(
    out: Path | None,
    ct: Path,
    series: str | None = None,
    replaces: Path | None = None,
    force: bool = False,
) -> Iterator[DicomFolder | None]:
    """Fill a folder with DICOM results, whole or not at all.

    Parameters
    ----------
    out : Path or None
        None yields None: no DICOM is asked for.
    ct : Path
        The DICOM series that is graded.
    series : str, optional
        As for :func:`spinexplain.io.read.read_scan`.
    replaces : Path, optional
        Folder of an earlier result of the same scan, which the new one shall replace.
    force : bool
        Whether an existing folder of ours is replaced.

    Raises
    ------
    FileFormatError
        If the CT is not DICOM, highdicom is missing, or there is no earlier result, or it is
        of another study.
    """
    if out is None:
        yield None
        return
    _check_possible(ct)
    references = read_references(ct, series)
    replaced = _replaced(replaces, references)
    with output_folder(out, force=force) as folder:
        yield DicomFolder(folder, references, replaced)


def _check_possible(ct: Path) -> None:
    if not is_dicom(ct):
        raise FileFormatError(
            f"{ct}: is not DICOM, so it names no patient, study or frame of reference that "
            "results as DICOM must repeat. Grade the DICOM series itself, or leave --dicom-out out."
        )
    if find_spec("highdicom") is None:
        raise FileFormatError(
            "results as DICOM need highdicom, which is not installed. "
            "Run: pip install 'spinexplain[dicom]'."
        )


def _replaced(folder: Path | None, references: DicomReferences) -> tuple[Dataset, ...]:
    if folder is None:
        return ()
    from spinexplain.dicom_out.write import read_replaced

    replaced = read_replaced(folder)
    if any(str(one.StudyInstanceUID) != references.study_uid for one in replaced):
        raise FileFormatError(
            f"{folder}: holds a result of another study; expected one of the scan that is graded. "
            "Give the folder that --dicom-out wrote for this scan."
        )
    return replaced
