"""Training with few labels: all samples denoise, the annotated ones also segment."""

import math
from pathlib import Path

import pytest

from ..bundle_under_test import needs_data
from ..left_by_a_run import measured, network
from .umc_bundle import UMC


@pytest.mark.parametrize(("labeled", "expected"), [({"labeled_fraction": 0.25}, 2), ({"labeled_count": 3}, 3)])
def test_the_overrides_reach_the_data(labeled: dict[str, float], expected: int) -> None:
    config = UMC.parsed("train", "few_labels", **UMC.small, **labeled)
    dataset = config.get_parsed_content("train#dataset")
    assert len(dataset) == 8
    assert sum(bool((sample["segment"] != 255).any()) for sample in dataset) == expected


def test_labeled_samples_are_drawn_more_often() -> None:
    config = UMC.parsed("train", "few_labels", **UMC.small, labeled_count=2, labeled_share=0.75)
    loader = config.get_parsed_content("train#dataloader")
    weights = sorted(loader.sampler.weights.tolist())
    assert weights == pytest.approx([0.25 / 6] * 6 + [0.75 / 2] * 2)
    assert len(loader.sampler) == 8  # as many batches as without the overlay


def test_few_labels_train_and_evaluate(tmp_path: Path) -> None:
    UMC.train(tmp_path, "few_labels", labeled_count=2)
    UMC.evaluate(tmp_path, "few_labels", labeled_count=2)
    metrics = measured(tmp_path)
    assert metrics["segment_miou"] > 0
    assert metrics["denoise_psnr_input"] > 15


def test_a_task_without_any_target_to_measure_by_claims_nothing(tmp_path: Path) -> None:
    unlabeled = {
        "key_metric_name": "denoise_psnr",
        "labeled_count": 1,
        "validate#dataset#data": "$monai_mtunet.data.keep_labels(@val_data, fraction=0)",
    }
    UMC.train(tmp_path, "few_labels", **unlabeled)
    UMC.evaluate(tmp_path, "few_labels", **unlabeled)
    metrics = measured(tmp_path)
    assert {name for name, value in metrics.items() if math.isnan(value)} == {
        name for name in metrics if name.startswith("segment_")
    }
    assert all(value.isfinite().all() for value in network(tmp_path).values())


@needs_data("hippocampus", "Task04_Hippocampus")
def test_few_real_labels(tmp_path: Path) -> None:
    lists = UMC.parsed("train", "hippocampus")
    small = {"train_data": f"{lists['train_data']}[:4]", "val_data": f"{lists['val_data']}[:1]"}
    UMC.run(tmp_path, "train", "hippocampus", "few_labels", features=[4, 8], max_epochs=1, labeled_count=2, **small)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


def test_without_labels_in_validation_no_epoch_is_best_and_the_last_is_evaluated(tmp_path: Path) -> None:
    unlabeled = {"val_data": [{"seed": 1, "segment": None}], "val_batch_size": 1}
    UMC.train(tmp_path, **unlabeled)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.pt"]
    UMC.evaluate(tmp_path, **unlabeled)
    assert measured(tmp_path)["denoise_psnr"] > 0
