"""Conditions on the figures of networks, such as ``params < 5M and memory <= 8 GiB``."""
