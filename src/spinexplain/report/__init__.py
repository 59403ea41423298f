"""Findings written down: ``result.json``, heat maps on the CT's lattice, the HTML report."""

from spinexplain.report.html import write_report
from spinexplain.results.heatmaps import write_heatmaps
from spinexplain.results.result_json import write_result
from spinexplain.results.result_schema import read_schema

__all__ = ["read_schema", "write_heatmaps", "write_report", "write_result"]
