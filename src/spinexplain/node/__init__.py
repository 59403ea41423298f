"""A grading node beside an archive: it takes CT series, grades them and stores results back."""
