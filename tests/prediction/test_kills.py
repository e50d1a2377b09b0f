"""Killed in the middle of blocks, a prediction goes on with equal bits."""

from __future__ import annotations

import pytest

from .kills import kill_and_compare


@pytest.mark.slow
def test_goes_on_after_kills(tmp_path):
    found = kill_and_compare(tmp_path, kills=4, seed=1)
    assert found["kills"] == 4
    assert found["predictions compared"] >= 1
