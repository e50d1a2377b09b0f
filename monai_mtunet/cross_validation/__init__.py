"""A planned network, trained once per fold, and what all folds together say of it."""

from .fold_results import fold_results
from .planned_folds import PlannedFolds
from .train_folds import train_folds

__all__ = ["PlannedFolds", "fold_results", "train_folds"]
