"""Budgets: conditions that networks must meet, limits of growth, and what is over."""
