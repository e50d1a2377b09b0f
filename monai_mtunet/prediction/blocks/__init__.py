"""Volumes larger than memory: read, predicted and written part by part."""
