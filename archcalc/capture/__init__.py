"""PyTorch modules are run without values, and the run is recorded."""
