"""The network exported for OpenVINO: made, checked and run."""
