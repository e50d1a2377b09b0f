"""What bundles need besides configuration."""

from .overrides import check_overrides

__all__ = ["check_overrides"]
