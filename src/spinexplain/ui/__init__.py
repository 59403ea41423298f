"""What report, atlas and reader are drawn from."""
