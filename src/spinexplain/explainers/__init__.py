"""Explanations of one prediction: evidence as heat maps with scores."""
