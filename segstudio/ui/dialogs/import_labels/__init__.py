"""Importing labels: what the files seem to be, where they go, and what becomes of each class."""
