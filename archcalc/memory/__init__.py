"""Memory of inference and training: the tensors alive at each moment, the peak, and what fits into a memory budget."""
