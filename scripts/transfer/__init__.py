"""What the shipped model is worth on spines it never saw; written by transfer_report.py."""
