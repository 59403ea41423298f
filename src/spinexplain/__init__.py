"""Vertebral fracture grading on CT, with evidence a radiologist can look at."""
