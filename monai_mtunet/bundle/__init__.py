"""What bundles need besides configuration."""

from .output_folder import prepare_output_dir
from .overrides import check_overrides
from .plain_errors import plain_errors
from .training_record import record_training

__all__ = ["check_overrides", "plain_errors", "prepare_output_dir", "record_training"]
