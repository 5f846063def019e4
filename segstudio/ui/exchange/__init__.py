"""Labels out of the program into other formats, and in again: who does it, without widgets."""
