"""What ``result.json`` says of the files that name the vertebrae."""

from __future__ import annotations

from spinexplain.findings.scan import ScanFindings
from spinexplain.results.result import ResultInputs


def inputs_of(findings: ScanFindings) -> ResultInputs:
    """Return the hashes of mask and centers, and how far centers were moved, to 0.1 mm."""
    settled = findings.settled
    return ResultInputs(
        labels_sha256=findings.source.labels_sha256,
        centroids_sha256=findings.source.centroids_sha256,
        settled_mm={
            level.value: round(mm, 1) for level, mm in (settled.moved_mm if settled else {}).items()
        },
    )
