"""Writes pages of the documentation from stored results; ``python -m writers`` in docs/.

A page's figures stand in docs/results; what surrounds them is kept. ``spinexplain reproduce``
measures them afresh.
"""
