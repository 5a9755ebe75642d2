"""What is alive when: the schedules of inference and training, their peaks, and what fits into a budget of memory."""
