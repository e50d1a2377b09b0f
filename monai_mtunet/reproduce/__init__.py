"""Tables of runs, carried out by one command that can be interrupted."""

from .curves import draw_curves, read_curve
from .experiment import Experiment, Run, carry_out, load_experiment, results
from .plot import plot
from .table import table

__all__ = [
    "Experiment",
    "Run",
    "carry_out",
    "draw_curves",
    "load_experiment",
    "plot",
    "read_curve",
    "results",
    "table",
]
