"""Self-contained pages: of a training, and of what a data set holds."""

from .training.at_end import report_at_end

__all__ = ["report_at_end"]
