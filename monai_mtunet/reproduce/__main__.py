"""``python -m monai_mtunet.reproduce <experiment.json>``: carry out an experiment and print its table."""

from __future__ import annotations

import argparse

from .experiment import carry_out, load_experiment, table


def main() -> None:
    """Parse the command line, run what is not finished, print the table."""
    parser = argparse.ArgumentParser(prog="python -m monai_mtunet.reproduce", description=main.__doc__)
    parser.add_argument("experiment", help="JSON file, as bundles/umc/experiments/joint_training.json")
    parser.add_argument("--output_dir", default="outputs/experiments", help="what is finished there is not run again")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; set OMP_NUM_THREADS to cores / jobs")
    parser.add_argument("--table_only", action="store_true", help="print what is there without running anything")
    arguments = parser.parse_args()
    experiment = load_experiment(arguments.experiment)
    try:
        if not arguments.table_only:
            carry_out(experiment, arguments.output_dir, arguments.jobs)
    finally:
        print(f"{experiment.description}\n\n{table(experiment, arguments.output_dir)}")


if __name__ == "__main__":
    main()
