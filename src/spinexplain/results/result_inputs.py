"""What ``result.json`` says of the files that name the vertebrae."""

from __future__ import annotations

from spinexplain.findings.scan import ScanFindings
from spinexplain.localizer.manifest import read_manifest
from spinexplain.localizer.networks import shipped_folder
from spinexplain.results.result import ResultInputs


def inputs_of(findings: ScanFindings) -> ResultInputs:
    """Return the hashes of mask and centers, how far centers were moved, and who painted bodies."""
    settled = findings.settled
    painted = settled is not None and settled.bodies is not None
    return ResultInputs(
        painted_by=f"own {read_manifest(shipped_folder()).version}" if painted else "",
        labels_sha256=findings.source.labels_sha256,
        centroids_sha256=findings.source.centroids_sha256,
        settled_mm={level.value: round(mm, 1) for level, mm in findings.moved_mm.items()},
    )
