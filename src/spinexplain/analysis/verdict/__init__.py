"""How the verdict is calibrated and tested on phantom spines."""
