"""Models and files of other tools become specs."""
