"""Tables of runs, carried out by one command that can be interrupted."""

from .experiment import Experiment, carry_out, load_experiment, results
from .plot import plot
from .table import table

__all__ = [
    "Experiment",
    "carry_out",
    "load_experiment",
    "plot",
    "results",
    "table",
]
