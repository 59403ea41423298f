"""Gradient descent that knows no crops: batches, devices, precision, journal."""
