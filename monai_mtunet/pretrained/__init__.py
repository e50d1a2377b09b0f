"""Weights that come from elsewhere: all of them that fit a network, with a report of what went where."""

from .load_pretrained import LoadedWeights, load_pretrained
from .load_vgg16 import load_vgg16

__all__ = ["LoadedWeights", "load_pretrained", "load_vgg16"]
