"""SegStudio: segment driving video live, correct the labels, and train on them."""

__version__ = "0.1.0"
