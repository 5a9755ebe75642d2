"""The calls of a model's run become a network: see ``calls`` for what goes in, and ``rules`` for what each operator becomes."""
