"""The benchmark of explanations: every explainer on every model, scored against the truth."""
