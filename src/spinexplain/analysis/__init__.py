"""What a finished model has learned: prototypes, units, reliability. Numbers only."""
