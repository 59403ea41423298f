"""Grading an archive: one scan at a time, on processes of this machine or on a cluster."""
