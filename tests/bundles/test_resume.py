"""A resumed run equals an uninterrupted one, bit for bit on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from .bundle_under_test import ROOT
from .umc_bundle import SMALL, configs, run_bundle

EPOCHS = {**SMALL, "trainer#max_epochs": 3}

# Writes half of the checkpoint whose turn it is, then dies as a killed process does: without cleaning up.
KILLED = """
import io, json, os, signal, sys
import torch
from monai.bundle import run

count, real_save = 0, torch.save
def dying_save(obj, file, **kwargs):
    global count
    count += 1
    if count == {fatal}:
        buffer = io.BytesIO()
        real_save(obj, buffer)
        file.write(buffer.getvalue()[: len(buffer.getvalue()) // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    real_save(obj, file, **kwargs)
torch.save = dying_save
run(**json.loads(sys.argv[1]))
"""


# Dies in the middle of the second epoch, after the first of its two steps.
KILLED_BETWEEN = """
import json, os, signal, sys
import torch
from monai.bundle import run

count, real_step = 0, torch.optim.Adam.step
def dying_step(self, *args, **kwargs):
    global count
    count += 1
    if count == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return real_step(self, *args, **kwargs)
torch.optim.Adam.step = dying_step
run(**json.loads(sys.argv[1]))
"""


def assert_same(first: object, second: object, where: str = "checkpoint") -> None:
    assert type(first) is type(second), where
    if isinstance(first, dict):
        assert list(first) == list(second), where
        for key in first:
            assert_same(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for index, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    else:
        assert first == second, where


def load(folder: Path, name: str = "last") -> dict:
    return torch.load(folder / "checkpoints" / f"{name}.pt", weights_only=True)


def run_and_die(program: str, folder: Path) -> None:
    arguments = {"config_file": configs("train"), "output_dir": str(folder), **EPOCHS}
    command = [sys.executable, "-c", program, json.dumps(arguments)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert process.returncode == -9, process.stderr.decode()[-2000:]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    run_bundle(folder, "train", **EPOCHS)
    return folder


# Every epoch writes last.pt, and best.pt before it when the epoch is the best so far; the first epoch always is.
@pytest.mark.parametrize("fatal", [3, 4])
def test_killed_while_writing_a_checkpoint(tmp_path: Path, uninterrupted: Path, fatal: int) -> None:
    run_and_die(KILLED.format(fatal=fatal), tmp_path)
    before = load(tmp_path)  # whole, although the process died while replacing a checkpoint
    assert before["trainer"]["iteration"] in (2, 4)

    run_bundle(tmp_path, "train", **EPOCHS, resume=True)
    assert_same(load(tmp_path), load(uninterrupted))
    assert_same(load(tmp_path, "best"), load(uninterrupted, "best"))


def test_killed_in_the_middle_of_an_epoch(tmp_path: Path, uninterrupted: Path) -> None:
    run_and_die(KILLED_BETWEEN, tmp_path)
    assert load(tmp_path)["trainer"]["iteration"] == 2
    run_bundle(tmp_path, "train", **EPOCHS, resume=True)
    assert_same(load(tmp_path), load(uninterrupted))
    assert_same(load(tmp_path, "best"), load(uninterrupted, "best"))


@pytest.mark.parametrize("names", [("train",), ("train", "few_labels")], ids=["shuffled", "weighted draws"])
def test_resumes_with_workers_and_more_epochs(tmp_path: Path, names: tuple[str, ...]) -> None:
    # A constant learning rate, so that the runs differ in nothing but where they were stopped.
    common = {**SMALL, "num_workers": 2, "lr_scheduler": {"_target_": "torch.optim.lr_scheduler.ConstantLR",
              "optimizer": "@optimizer", "factor": 1.0}}  # fmt: skip
    run_bundle(tmp_path / "whole", *names, **{**common, "trainer#max_epochs": 2})
    run_bundle(tmp_path / "parts", *names, **{**common, "trainer#max_epochs": 1})
    run_bundle(tmp_path / "parts", *names, **{**common, "trainer#max_epochs": 2}, resume=True)
    whole, parts = load(tmp_path / "whole"), load(tmp_path / "parts")
    assert_same(parts, whole)


def test_another_seed_gives_another_run(tmp_path: Path, uninterrupted: Path) -> None:
    run_bundle(tmp_path, "train", **EPOCHS, seed=1)
    ours, theirs = load(tmp_path)["network"], load(uninterrupted)["network"]
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


def test_resuming_beyond_the_last_epoch_says_so(tmp_path: Path, uninterrupted: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        run_bundle(uninterrupted, "train", **{**EPOCHS, "trainer#max_epochs": 2}, resume=True)
    assert "finished epoch 3, beyond max_epochs = 2" in _messages(caught.value)


def test_resuming_from_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        run_bundle(tmp_path, "train", **EPOCHS, resume=True)
    assert "There is no checkpoint" in _messages(caught.value)


def _messages(error: BaseException | None) -> str:
    """MONAI wraps errors of configurations; the cause's message is what the user reads first."""
    return f"{error} {_messages(error.__cause__ or error.__context__)}" if error else ""
