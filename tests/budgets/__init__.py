"""Tests of archcalc/budgets."""
