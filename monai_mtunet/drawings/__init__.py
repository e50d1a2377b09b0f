"""Drawings of networks, made of what they do with an image. Nothing else of the package depends on them."""

from .blocks import gather
from .data_flow import DataFlow, Operation, Source, trace
from .diagram import Block, Connection, Diagram
from .drawing import draw_diagram, draw_network

__all__ = [
    "Block",
    "Connection",
    "DataFlow",
    "Diagram",
    "Operation",
    "Source",
    "draw_diagram",
    "draw_network",
    "gather",
    "trace",
]
