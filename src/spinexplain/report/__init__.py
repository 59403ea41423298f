"""Findings written down: ``result.json``, heat maps on the CT's lattice, the HTML report."""

from spinexplain.report.heatmaps import write_heatmaps
from spinexplain.report.html import write_report
from spinexplain.report.result_json import write_result

__all__ = ["write_heatmaps", "write_report", "write_result"]
