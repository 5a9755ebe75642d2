"""Tests of archcalc/conditions."""
