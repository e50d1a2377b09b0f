"""A keyboard interrupt ends an experiment: nothing is started after it."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Barrier, Event, main_thread
from typing import Any

import pytest

from monai_mtunet.bundle import run_bundle
from monai_mtunet.commands.app import main
from monai_mtunet.reproduce import carry_out, experiment, load_experiment

from .small_experiment import PretendedBundle, small_experiment


@pytest.fixture(autouse=True)
def interrupts_arrive() -> Iterator[None]:
    """A shell starts what it runs in the background with interrupts ignored, and these tests may be among it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptedBundle(PretendedBundle):
    """Every job waits in its training, which completes after the interrupt."""

    def __init__(self, jobs: int) -> None:
        super().__init__()
        # To the main thread: a process's signal may reach another one, and the main thread then goes on waiting.
        self.all_jobs_run = Barrier(jobs, action=lambda: signal.pthread_kill(main_thread().ident, signal.SIGINT))

    def __call__(self, configs: Sequence[str], overrides: Mapping[str, Any], log: Path, interrupted: Event) -> None:
        super().__call__(configs, overrides, log, interrupted)
        self.all_jobs_run.wait(10)
        assert interrupted.wait(10)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("changes", [{}, {"evaluate": None}], ids=["evaluation", "last epoch"])
def test_no_run_and_no_evaluation_starts_after_an_interrupt(
    jobs: int, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = InterruptedBundle(jobs)
    monkeypatch.setattr(experiment, "run_bundle", bundle)
    with pytest.raises(KeyboardInterrupt):
        carry_out(load_experiment(small_experiment(tmp_path, **changes)), tmp_path, jobs)
    assert sorted(bundle.started) == [("both", "train.log"), ("segment_only", "train.log")][:jobs]
    assert not list(tmp_path.glob("small/*/*/evaluation/metrics.csv"))


def test_the_table_is_printed_after_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(experiment, "run_bundle", InterruptedBundle(1))
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", str(small_experiment(tmp_path)), "--output", str(tmp_path)])
    assert ended.value.code == 130
    assert "| both | - | - | 0 |" in capsys.readouterr().out


def test_an_interrupted_experiment_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = load_experiment(small_experiment(tmp_path, seeds=[0]))
    monkeypatch.setattr(experiment, "run_bundle", InterruptedBundle(1))
    with pytest.raises(KeyboardInterrupt):
        carry_out(small, tmp_path)
    bundle = PretendedBundle()
    monkeypatch.setattr(experiment, "run_bundle", bundle)
    carry_out(small, tmp_path)
    assert bundle.started == [(row, log) for row in ("both", "segment_only") for log in ("train.log", "evaluate.log")]
    assert bundle.resumed == [True, False, False, False]


@pytest.mark.parametrize(
    ("program", "code"), [("import time; time.sleep(60)", -signal.SIGTERM), ("raise SystemExit(3)", 3)]
)
def test_a_command_that_does_not_end_after_an_interrupt_is_terminated(
    program: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_bundle, "_GRACE", 2.0)
    interrupted = Event()
    interrupted.set()
    with open(tmp_path / "log", "w") as log:
        assert run_bundle._execute([sys.executable, "-c", program], log, interrupted) == code
