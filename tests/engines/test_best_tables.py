"""The tables of the best epoch outlast later epochs."""

import csv
import json

import pytest
import torch

from .small_run import EPOCHS, Run


def tables(folder):
    return {path.name: path.read_text() for path in folder.glob("*.csv")}


@pytest.mark.parametrize("best", [1, 2, EPOCHS])
def test_they_are_those_of_the_best_epoch(tmp_path, best):
    run = Run(tmp_path)
    run.evaluator.metric_cmp_fn = lambda *_: run.evaluator.state.epoch == best
    of_epoch = {}
    kept = tmp_path / "validation" / "best"

    @run.trainer.on("EPOCH_COMPLETED")
    def remember(engine):
        of_epoch[engine.state.epoch] = tables(tmp_path / "validation")

    run.trainer.run()
    assert set(of_epoch[1]) == {"metrics.csv", "cases.csv", "confusion_segment.csv"}
    assert of_epoch[1]["metrics.csv"] != of_epoch[EPOCHS]["metrics.csv"]
    assert tables(kept) == of_epoch[best]
    about = json.loads((kept / "epoch.json").read_text())
    assert about == {
        "epoch": best, "key_metric": "segment_miou", "errors": ["denoise_noisy_mse"], "tasks": ["denoise", "segment"],
        "cases": ["1", "2", "3", "4"], "processes": 1,
    }  # fmt: skip
    assert not (tmp_path / "validation" / "best.partial").exists()


def test_the_cases_are_named_in_the_order_of_the_data(tmp_path):
    Run(tmp_path, epochs=1).trainer.run()
    about = json.loads((tmp_path / "validation" / "best" / "epoch.json").read_text())
    with (tmp_path / "validation" / "best" / "cases.csv").open() as file:
        rows = [row["image"] for row in csv.DictReader(file)]
    assert rows != about["cases"]  # the worst first
    assert sorted(rows) == about["cases"]


def test_there_are_none_while_the_key_metric_is_nan(tmp_path):
    run = Run(tmp_path, epochs=1, labels=0)
    validated = run.evaluator.data_loader.dataset
    validated.data = [sample | {"segment": torch.full_like(sample["segment"], 255)} for sample in validated.data]
    run.trainer.run()
    assert (tmp_path / "validation" / "cases.csv").is_file()
    assert not (tmp_path / "validation" / "best").exists()
