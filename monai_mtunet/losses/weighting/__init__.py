"""Loss weighting: one method per file, each a module ``{task: loss} -> 0-d tensor``."""

from .fixed import FixedWeighting

__all__ = ["FixedWeighting"]
