"""Training crops of a cohort: read, joined, scaled, and identified by a fingerprint."""
