"""Targets that are made of images and of other targets."""
