"""A model on disk: a folder of safetensors and JSON, hashed, without pickle."""
