"""The experiments of docs/dissection.md; ``scripts/dissection_experiments.py`` runs them."""
