"""Training of the networks that find and name vertebrae in a bare CT, from phantoms alone."""
