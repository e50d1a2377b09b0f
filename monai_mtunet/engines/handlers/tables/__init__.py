"""Tables of what validation measures."""
