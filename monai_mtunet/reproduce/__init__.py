"""Tables of runs, carried out by one command that can be interrupted."""

from .experiment import carry_out, load_experiment, results
from .plot import plot
from .table import table

__all__ = [
    "carry_out",
    "load_experiment",
    "plot",
    "results",
    "table",
]
