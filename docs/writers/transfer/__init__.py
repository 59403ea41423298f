"""The page on what the shipped model is worth elsewhere."""
