"""The judge notices what it is there for."""

import os
import time
from dataclasses import replace

import pytest
from PIL import Image

from . import child
from .cases import Made
from .child import Ended, in_a_child
from .verdict import BEFORE, RIGHT, TOLD, judge

MADE = Made(2, {}, ["bad.png"])
OURS = {"ours": True}


def failed(line, **told):
    return Ended(1, 0.5, 0.5, f"many lines\n{line}\n", OURS | told)


@pytest.mark.parametrize(
    ("line", "told", "verdict"),
    [
        ("OSError: /a/bad.png cannot be read: replace the file.", {}, TOLD),
        ("OSError: /a/bad.png cannot be read.", {}, "unclear"),
        ("OSError: it cannot be read: replace the file.", {}, "unclear"),
        ("ValueError: the list /check/bad.png has no section 'use'", {}, "unclear"),
        ("KeyError: 'bad.png', replace", {"ours": False}, "unclear"),
        ("KeyError: 'bad.png' (It came up in load#0: check this item)", {"ours": False}, TOLD),
        ("UnicodeDecodeError", {"before": True}, BEFORE),
    ],
)
def test_an_error_names_the_culprit_and_the_remedy(tmp_path, line, told, verdict):
    assert judge(MADE, "train", failed(line, **told), tmp_path).startswith(verdict)


def test_what_computes_or_waits_for_long_hangs(tmp_path):
    ended = Ended(0, 0.5, 0.5, "", {})
    assert judge(MADE, "train", ended, tmp_path) == RIGHT
    assert judge(MADE, "train", replace(ended, seconds=11, status=-24), tmp_path).startswith("hang")
    assert judge(MADE, "train", replace(ended, waited=11), tmp_path) == RIGHT  # for its turn on a busy machine
    assert judge(MADE, "train", replace(ended, waited=121, status=-9), tmp_path).startswith("hang")


def test_what_waits_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "LAST_RESORT", 0.2)
    ended = in_a_child(lambda: time.sleep(60) or {}, tmp_path / "run.log")
    assert ended.status == -9
    assert 0.2 < ended.waited < 30


def test_a_crash_of_the_interpreter(tmp_path):
    ended = in_a_child(lambda: os.kill(os.getpid(), 9) or {}, tmp_path / "run.log")
    assert judge(MADE, "train", ended, tmp_path) == "crash: signal 9"


@pytest.mark.parametrize("name", ["cut.png", "cut.pt", "cut.nii.gz", "a.csv.tmp"])
def test_what_is_half_written(tmp_path, name):
    (tmp_path / "out").mkdir()
    Image.new("L", (40, 40)).save(tmp_path / "out" / "whole.png")
    assert judge(MADE, "train", failed(""), tmp_path).startswith("unclear")
    (tmp_path / "out" / name).write_bytes((tmp_path / "out" / "whole.png").read_bytes()[:-30])
    assert judge(MADE, "train", failed(""), tmp_path) == f"half-written: ['{name}']"
