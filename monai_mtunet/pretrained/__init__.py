"""Weights that come from elsewhere: all of them that fit a network, with a report of what went where."""

from .checkpoint_file import CheckpointError
from .loaded_weights import load_pretrained
from .vgg16 import load_vgg16

__all__ = ["CheckpointError", "load_pretrained", "load_vgg16"]
