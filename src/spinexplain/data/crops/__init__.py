"""Training crops of a cohort: read, joined, scaled, and told apart by a fingerprint."""
