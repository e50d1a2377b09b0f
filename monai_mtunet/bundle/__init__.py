"""What bundles need besides configuration."""

from .metadata import describe_outputs, read_tasks, write_outputs
from .overrides import check_overrides

__all__ = ["check_overrides", "describe_outputs", "read_tasks", "write_outputs"]
