"""Trainings that grade vertebrae, from crops to a bundle."""
