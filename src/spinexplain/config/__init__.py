"""Settings: sections, presets, tasks, and what takes part in an experiment."""
