"""What makes images worse, or learns from images that are: noise that repeats in validation, blind spots, pairs."""
