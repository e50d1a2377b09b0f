"""Flips, zoom, padding and resizing of an image and all its targets, true to vectors, depth and what is missing."""
