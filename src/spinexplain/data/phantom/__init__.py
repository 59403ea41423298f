"""Synthetic spines with known evidence: sheets for training, scans for everything else."""
