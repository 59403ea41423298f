"""A clinician's decisions carried out on a prototype model."""
