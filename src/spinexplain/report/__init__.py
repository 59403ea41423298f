"""Findings written down: ``result.json``, heat maps on the CT's lattice, the HTML report."""

from spinexplain.report.html import write_report
from spinexplain.results.heatmaps import write_heatmaps
from spinexplain.results.result_json import read_schema, write_result

__all__ = ["read_schema", "write_heatmaps", "write_report", "write_result"]
