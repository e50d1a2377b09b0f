"""What is in a user's folder of data: cases, targets and channels, whatever the layout."""

from .case import DataCase, FoundData, TargetKind
from .find_data import find_data

__all__ = ["DataCase", "FoundData", "TargetKind", "find_data"]
