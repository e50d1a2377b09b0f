"""Several predictions of an image become one: of its flips, of its scaled copies, and of several networks."""
