"""Experiments: evaluation, cross-validation, ablation, and the papers' tables."""
