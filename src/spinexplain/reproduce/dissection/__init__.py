"""Whether dissection finds what a network uses, on phantoms, where that is known."""
