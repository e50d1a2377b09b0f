"""How each format is read and written, one per file."""
