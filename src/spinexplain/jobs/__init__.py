"""What the commands do, as functions with a request type."""
