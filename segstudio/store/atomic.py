"""Whole-or-absent writing, under the name the store's users look for.

It is made in `segstudio.atomic`, below the rooms, because media keeps files of its own too.
"""

from segstudio.atomic import atomic_path, atomic_write

__all__ = ["atomic_path", "atomic_write"]
