"""Networks: modules that map an image to one prediction per task, and know no loss, engine or file."""

from .umc import UMC

__all__ = ["UMC"]
