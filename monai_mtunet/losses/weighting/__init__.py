"""Loss weighting: one method per file, each a module ``{task: loss} -> 0-d tensor``."""
