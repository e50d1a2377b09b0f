"""Weights that come from elsewhere: all of them that fit a network, with a report of what went where."""

from .load_pretrained import LoadedWeights, load_pretrained
from .load_vgg16 import load_vgg16
from .read_checkpoint import CheckpointError, read_checkpoint

__all__ = ["CheckpointError", "LoadedWeights", "load_pretrained", "load_vgg16", "read_checkpoint"]
