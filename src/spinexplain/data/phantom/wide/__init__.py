"""Wide fields of view: the whole person around the spine, from the skull base to the hips."""
