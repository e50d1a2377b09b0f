"""The benchmarks run, at sizes that say nothing about speed."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MEASURES_MEMORY = ("checkpointing", "one_task", "several_tasks", "stacked_unets", "weighting_methods", "prediction")


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("channels_last", 4),
        ("distance_transforms", 6),
        *(
            pytest.param(name, rows, marks=pytest.mark.slow)
            for name, rows in {
                "trainer_overhead": 6,
                "several_tasks": 24,
                "one_task": 8,
                "checkpointing": 8,
                "stacked_unets": 8,
                "weighting_methods": 18,
                "prediction": 8,
            }.items()
        ),
    ],
)
def test_prints_finite_ratios(name: str, rows: int) -> None:
    if name in MEASURES_MEMORY and not sys.platform.startswith("linux"):
        pytest.skip("peak memory is read from /proc")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    table = [line.strip("| ").split(" | ") for line in run.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(table) == rows
    for cells in table:
        ratios = [float(cell) for cell in cells[2:5]]
        assert all(math.isfinite(ratio) and ratio > 0 for ratio in ratios)
        assert ratios == sorted(ratios)
