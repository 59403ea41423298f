"""Data sets: VerSe folders and tables in, a prepared cohort of vertebrae out."""
