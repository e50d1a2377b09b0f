"""How a network and its training follow from data, by stated rules."""

from .choice import Choice

__all__ = ["Choice"]
