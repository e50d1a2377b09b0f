"""A planned network, trained once per fold, and what all folds together say of it."""

from .fold_results import fold_results
from .fold_training import train_folds
from .planned_folds import PlannedFolds

__all__ = ["PlannedFolds", "fold_results", "train_folds"]
