"""What PyTorch does with each layer type: how it writes the layer, and which operators run. Nothing here imports torch."""
