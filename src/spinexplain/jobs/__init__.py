"""What the program does, as functions with a request: called by commands, reader and node."""
