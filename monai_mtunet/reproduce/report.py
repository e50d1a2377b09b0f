"""What an experiment has to tell: its table, and where its plots are."""

from __future__ import annotations

from pathlib import Path

from .curves import draw_curves
from .experiment import Experiment
from .plot import plot
from .table import table

__all__ = ["report"]


def report(experiment: Experiment, output_dir: str | Path) -> str:
    """Draw the plots that an experiment names, and return its table.

    Args:
        experiment: the experiment.
        output_dir: as given to :func:`~monai_mtunet.reproduce.carry_out`; plots go to its folder of the experiment.

    Returns:
        Markdown: the description, the table of what is finished, and a line per plot.
    """
    lines = [experiment.description, table(experiment, output_dir)]
    for wanted, draw, name in ((experiment.plot, plot, "plot"), (experiment.curves, draw_curves, "curves")):
        if wanted:
            path = Path(output_dir) / experiment.name / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(experiment, output_dir).savefig(path)
            lines.append(f"The {name} {'is' if name == 'plot' else 'are'} in {path}.")
    return "\n\n".join(lines)
