"""Jobs: what a command does, as a function of a request."""
