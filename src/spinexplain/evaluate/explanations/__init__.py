"""How good explanations are: plain functions on arrays, each with its equation."""
