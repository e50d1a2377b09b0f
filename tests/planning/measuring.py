"""Starts a process of its own to measure memory in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MIB = 2**20
needs_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="resident memory is read from /proc")


def measure(cases, exact):
    """(told, grown, shape) of each case; exact: with an allocator that gives back what is freed."""
    settings = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"} if exact else {}
    command = [sys.executable, str(Path(__file__).with_name("measured_memory.py")), json.dumps(cases)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **settings})
    return [json.loads(line) for line in run.stdout.splitlines()]
