"""``python -m monai_mtunet ...``, one file per command: arguments in, one call, messages out."""
