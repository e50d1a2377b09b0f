"""What all files of a data set are like, and what is wrong with them."""

from .data_fingerprint import DataFingerprint, fingerprint_data

__all__ = ["DataFingerprint", "fingerprint_data"]
