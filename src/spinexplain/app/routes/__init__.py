"""The addresses of the reader, one room a file."""
