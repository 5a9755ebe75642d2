"""One module per command: its arguments, its own options, an example, and what it does."""
