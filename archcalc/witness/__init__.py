"""Real models and real tools, to hold the engine's numbers against; the only room that imports torch."""
