"""Convolutional trunks, and weights that others published for them."""
