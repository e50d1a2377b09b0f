"""A hundred of the bad inputs, in processes of their own; all of them by `python -m tests.reliability`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .cases import FORMATS, Case, all_cases

ROOT = Path(__file__).parents[2]
JUDGED = """
import json, sys
from pathlib import Path
from tests.reliability.cases import Case
from tests.reliability.run import run_cases, write_templates
cases = [Case(*fields) for fields in json.loads(sys.argv[2])]
folder = Path(sys.argv[1])
outcomes = run_cases(cases, write_templates(folder / "templates"))
(folder / "verdicts.json").write_text(json.dumps([[str(o.case), o.verdicts, o.is_good] for o in outcomes]))
"""


def a_hundred() -> list[Case]:
    cases = all_cases()
    return [cases[index] for index in np.random.default_rng(0).permutation(len(cases))[:100]]


def test_there_are_a_thousand_of_every_format_and_kind() -> None:
    cases = all_cases()
    assert len(cases) == len(set(map(str, cases))) == 1000
    assert {(case.format, case.kind) for case in cases} >= {
        (name, kind) for name, of_format in FORMATS.items() for kind in of_format.kinds()
    }
    assert (
        all_cases(0)[7].rng.integers(1000) == all_cases(0)[7].rng.integers(1000) != all_cases(1)[7].rng.integers(1000)
    )


@pytest.mark.slow
def test_each_is_right_or_told_by_name_with_a_remedy(tmp_path: Path) -> None:
    # In a fresh interpreter, since forked processes must not inherit threads of other tests.
    fields = [[case.format, case.kind, case.number, case.seed] for case in a_hundred()]
    command = [sys.executable, "-c", JUDGED, str(tmp_path), json.dumps(fields)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    judged = json.loads((tmp_path / "verdicts.json").read_text())
    assert len(judged) == 100
    assert [(case, verdicts) for case, verdicts, is_good in judged if not is_good] == []
