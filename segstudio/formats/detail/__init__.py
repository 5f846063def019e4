"""What one or two formats alone need."""
