"""What predictions are worth: arrays and tables in, figures out; no torch."""
