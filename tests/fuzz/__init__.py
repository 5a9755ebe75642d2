"""Every command on every input: random specs, patterns and arguments, under a limit of time and memory for each.

``python -m tests.fuzz --seed 1 --count 100000`` prints one line of figures at the end; docs/verification.md tells more.
"""
