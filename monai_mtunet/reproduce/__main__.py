"""``python -m monai_mtunet.reproduce <experiment.json>``: carry out an experiment and print its table."""

from __future__ import annotations

import argparse
from pathlib import Path

from .curves import draw_curves
from .experiment import Experiment, carry_out, load_experiment
from .plot import plot
from .table import table


def main() -> None:
    """Parse the command line, run what is not finished, print the table; write the plot if there is one."""
    parser = argparse.ArgumentParser(prog="python -m monai_mtunet.reproduce", description=main.__doc__)
    parser.add_argument("experiment", help="JSON file, as bundles/umc/experiments/joint_training.json")
    parser.add_argument("--output_dir", default="outputs/experiments", help="what is finished there is not run again")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; set OMP_NUM_THREADS to cores / jobs")
    parser.add_argument("--overlay", action="append", default=[], help="configuration file for other data; may repeat")
    parser.add_argument("--table_only", action="store_true", help="print what is there without running anything")
    arguments = parser.parse_args()
    experiment = load_experiment(arguments.experiment, arguments.overlay)
    try:
        if not arguments.table_only:
            carry_out(experiment, arguments.output_dir, arguments.jobs)
    finally:
        _report(experiment, Path(arguments.output_dir))


def _report(experiment: Experiment, output_dir: Path) -> None:
    print(f"{experiment.description}\n\n{table(experiment, output_dir)}")
    for wanted, draw, name in ((experiment.plot, plot, "plot"), (experiment.curves, draw_curves, "curves")):
        if wanted:
            path = output_dir / experiment.name / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(experiment, output_dir).savefig(path)
            print(f"\nThe {name} {'is' if name == 'plot' else 'are'} in {path}.")


if __name__ == "__main__":
    main()
