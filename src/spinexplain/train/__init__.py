"""Training: samples, augmentation, gradient phases, projection and the last layer."""
