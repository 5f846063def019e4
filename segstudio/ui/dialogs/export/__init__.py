"""Exporting labels into other programs' formats: what, how, and the proof."""
