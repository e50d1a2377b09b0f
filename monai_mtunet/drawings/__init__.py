"""Drawings of networks, made of what they do with an image. Nothing else of the package depends on them."""

from .drawing import draw_network

__all__ = [
    "draw_network",
]
