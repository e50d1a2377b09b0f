"""A hundred of the bad inputs, in processes of their own; all of them by `python -m tests.reliability`."""

import subprocess
import sys
from pathlib import Path

import pytest

from .cases import FORMATS, all_cases, chosen

ROOT = Path(__file__).parents[2]


def test_there_are_a_thousand_of_every_format_and_kind() -> None:
    cases = all_cases()
    assert len(cases) == len(set(map(str, cases))) == 1000
    assert {(case.format, case.kind) for case in cases} >= {
        (name, kind) for name, of_format in FORMATS.items() for kind in of_format.kinds()
    }
    assert (
        all_cases(0)[7].rng.integers(1000) == all_cases(0)[7].rng.integers(1000) != all_cases(1)[7].rng.integers(1000)
    )


def test_some_are_chosen_by_the_seed() -> None:
    some = chosen(all_cases(), 100, 0)
    assert len(set(some)) == 100
    assert {case.format for case in some} == FORMATS.keys()
    assert some == chosen(all_cases(), 100, 0) != chosen(all_cases(), 100, 1)


@pytest.mark.slow
def test_each_is_right_or_told_by_name_with_a_remedy() -> None:
    # In a fresh interpreter, since forked processes must not inherit threads of other tests.
    command = [sys.executable, "-m", "tests.reliability", "--count", "100", "--jobs", "2"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "100 cases, 0 bad" in ended.stdout
