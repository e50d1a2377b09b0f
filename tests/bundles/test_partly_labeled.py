"""Training with few labels: all samples denoise, the annotated ones also segment."""

import math
from pathlib import Path

import pytest
import torch

from .bundle_under_test import needs_data, saved_metrics
from .umc_bundle import SMALL, parsed, run_bundle


def test_few_labels_train_and_evaluate(tmp_path: Path) -> None:
    small = SMALL | {"trainer#max_epochs": 1, "labeled_count": 2}
    run_bundle(tmp_path, "train", "few_labels", **small)
    run_bundle(tmp_path, "train", "few_labels", "evaluate", **small)
    metrics = saved_metrics(tmp_path)
    assert metrics["segment_miou"] > 0
    assert metrics["denoise_psnr_input"] > 15


@pytest.mark.parametrize(("labeled", "expected"), [({"labeled_fraction": 0.25}, 2), ({"labeled_count": 3}, 3)])
def test_the_overrides_reach_the_data(labeled: dict[str, float], expected: int) -> None:
    dataset = parsed("train", "few_labels", **SMALL, **labeled).get_parsed_content("train#dataset")
    assert len(dataset) == 8
    assert sum(bool((sample["segment"] != 255).any()) for sample in dataset) == expected


def test_labeled_samples_are_drawn_more_often() -> None:
    loader = parsed("train", "few_labels", **SMALL, labeled_count=2, labeled_share=0.75).get_parsed_content(
        "train#dataloader"
    )
    weights = sorted(loader.sampler.weights.tolist())
    assert weights == pytest.approx([0.25 / 6] * 6 + [0.75 / 2] * 2)
    assert len(loader.sampler) == 8  # as many batches as without the overlay


def test_a_task_without_any_target_trains_on_and_claims_nothing(tmp_path: Path) -> None:
    small = SMALL | {"trainer#max_epochs": 1, "key_metric_name": "denoise_psnr", "labeled_count": 0}
    small["validate#dataset#data"] = "$monai_mtunet.data.keep_labels(@val_data, fraction=0)"
    run_bundle(tmp_path, "train", "few_labels", **small)
    run_bundle(tmp_path, "train", "few_labels", "evaluate", **small)
    metrics = saved_metrics(tmp_path)
    assert {name for name, value in metrics.items() if math.isnan(value)} == {
        name for name in metrics if name.startswith("segment_")
    }
    network = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    assert all(value.isfinite().all() for value in network.values())


@needs_data("hippocampus", "Task04_Hippocampus")
def test_few_real_labels(tmp_path: Path) -> None:
    lists = parsed("train", "hippocampus")
    run_bundle(
        tmp_path,
        "train",
        "hippocampus",
        "few_labels",
        **{
            "features": [4, 8],
            "trainer#max_epochs": 1,
            "labeled_count": 2,
            "train_data": f"{lists['train_data']}[:8]",
            "val_data": f"{lists['val_data']}[:2]",
        },
    )
    assert (tmp_path / "checkpoints" / "best.pt").is_file()
