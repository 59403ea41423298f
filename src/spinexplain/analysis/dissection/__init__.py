"""The run over a cohort that ranks a network's units."""
