"""Drawings of networks, made of what they do with an image. Nothing else of the package depends on them."""

from .blocks import gather
from .data_flow import trace
from .diagram import Diagram
from .drawing import draw_diagram, draw_network

__all__ = [
    "Diagram",
    "draw_diagram",
    "draw_network",
    "gather",
    "trace",
]
