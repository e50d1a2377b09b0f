"""Public data sets, one per file: read in their official layout, with class names, colors and ids."""
