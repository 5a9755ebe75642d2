"""Tests of archcalc/spaces."""
