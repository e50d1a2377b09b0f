"""What bundles need besides configuration."""

from .metadata import write_outputs
from .overrides import check_overrides

__all__ = ["check_overrides", "write_outputs"]
