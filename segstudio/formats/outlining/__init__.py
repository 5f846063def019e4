"""Masks as outlines, runs and single objects, and back."""
