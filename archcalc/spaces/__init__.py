"""Many networks at once: axes of sizes and settings, and the questions that are asked of all their networks."""
