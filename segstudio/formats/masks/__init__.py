"""Masks as pictures: folders of them, what their values and colours mean."""
