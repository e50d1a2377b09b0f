"""A run goes on from an earlier one: what it starts from, when, and what is refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from monai_mtunet.reproduce import carry_out, experiment, load_experiment

from .small_experiment import PretendedBundle, small_experiment

RUNS = {"first": {}, "scratch": {}, "goes on": {"pretrained": "first"}}


class CheckpointingBundle(PretendedBundle):
    """Leaves a checkpoint that tells its run, and keeps what each run was given to start from."""

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.fails = fails
        self.pretrained: dict[str, Any] = {}

    def __call__(self, configs: Sequence[str], overrides: Mapping[str, Any], log: Path, interrupted: Event) -> None:
        row = log.parents[1].name
        self.pretrained[f"{row} {overrides['seed']}"] = overrides.get("pretrained")
        if row == self.fails:
            raise RuntimeError("exit status 1")
        assert overrides.get("pretrained") is None or overrides["pretrained"].is_file()
        super().__call__(configs, overrides, log, interrupted)
        (log.parent / "checkpoints" / "best.pt").write_text(f"{row}")


@pytest.mark.parametrize("jobs", [1, 3])
def test_it_starts_from_the_earlier_runs_best_checkpoint_of_its_seed(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = CheckpointingBundle()
    monkeypatch.setattr(experiment, "run_bundle", bundle)
    carry_out(load_experiment(small_experiment(tmp_path, runs=RUNS)), tmp_path, jobs)
    assert bundle.pretrained == {
        **{f"{row} {seed}": None for row in ("first", "scratch") for seed in (0, 1)},
        **{
            f"goes_on {seed}": tmp_path / "small" / "first" / f"seed_{seed}" / "checkpoints" / "best.pt"
            for seed in (0, 1)
        },
    }


def test_it_does_not_start_when_the_earlier_run_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = CheckpointingBundle(fails="first")
    monkeypatch.setattr(experiment, "run_bundle", bundle)
    with pytest.raises(RuntimeError, match="'goes on', seed 0, could not start: 'first' failed"):
        carry_out(load_experiment(small_experiment(tmp_path, seeds=[0], runs=RUNS)), tmp_path)
    assert set(bundle.pretrained) == {"first 0", "scratch 0"}


def test_results_from_another_checkpoint_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "run_bundle", CheckpointingBundle())
    settings = load_experiment(small_experiment(tmp_path, seeds=[0], runs=RUNS))
    carry_out(settings, tmp_path)
    carry_out(settings, tmp_path)  # finished: nothing changes
    (tmp_path / "small" / "first" / "seed_0" / "checkpoints" / "best.pt").write_text("trained anew")
    with pytest.raises(RuntimeError, match=r"goes_on/seed_0 holds results .* the checkpoint to start from was"):
        carry_out(settings, tmp_path)


def test_it_must_come_after_what_it_starts_from(tmp_path: Path) -> None:
    for runs in ({"goes on": {"pretrained": "first"}, "first": {}}, {"goes on": {"pretrained": "goes on"}}):
        with pytest.raises(ValueError, match=r"run 'goes on': 'pretrained' '.*' is none of the runs before it, \[\]"):
            load_experiment(small_experiment(tmp_path, runs=runs))
