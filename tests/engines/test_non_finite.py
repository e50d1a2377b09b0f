"""Voxels that are not finite, from the sample to the file."""

import logging

import pytest
import torch
from monai.data import DataLoader, MetaTensor
from torch import nn

from monai_mtunet.engines import MultiTaskEvaluator, MultiTaskPredictor, MultiTaskPrepareBatch, TaskPreprocessing
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["a", "b"])])


class Network(nn.Module):
    """Denoises by doing nothing; a voxel's class depends on its neighbors."""

    def forward(self, x):
        around = torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
        return {"denoise": x.clone(), "segment": torch.cat([around, -around], dim=1)}


def image(*bad):
    values = torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(0)) + 0.5
    for place, value in zip([(0, 2, 3), (0, 5, 5)], bad, strict=False):
        values[place] = value
    return MetaTensor(values, meta={"filename_or_obj": "case.nii"})


def test_infinite_voxels_are_missing_in_targets_made_of_the_image():
    def copied(sample):
        return sample | {"denoise": sample["image"].clone(), "segment": torch.zeros(1, 6, 6, dtype=torch.int16)}

    preprocessing = TaskPreprocessing(TASKS, 2, 1, load=[LoadSampled(tasks=TASKS)], targets=[copied])
    sample = preprocessing({"image": image(torch.inf, torch.nan)})
    assert sample["denoise"].isnan().sum() == 2
    assert not sample["denoise"].isinf().any()


@pytest.mark.parametrize("keep_meta", [True, False])
def test_the_network_sees_0_and_every_file_is_reported_once(caplog, keep_meta):
    prepare = MultiTaskPrepareBatch(keep_meta=keep_meta)
    batch = {"image": image(torch.nan, -torch.inf)[None]}
    batch["image"].meta["filename_or_obj"] = ["case.nii"]
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            prepared, _ = prepare(batch)
    assert prepared.isfinite().all()
    assert (prepared == 0).sum() == 2
    assert batch["image"].isfinite().sum() == 34, "writers still see what the file holds"
    assert caplog.text.count("case.nii: 2 of 36 values are not finite") == 1


def test_an_image_of_nan_is_refused():
    batch = {"image": torch.full((1, 1, 6, 6), torch.nan)}
    with pytest.raises(ValueError, match="36 of 36 values of an unnamed sample are not finite when they reach"):
        MultiTaskPrepareBatch()(batch)


def run(engine, data, **arguments):
    arguments |= {"device": torch.device("cpu"), "network": Network(), "tasks": TASKS}
    evaluator = engine(val_data_loader=DataLoader(data, batch_size=1), **arguments)
    evaluator.run()
    return evaluator


def test_restored_files_are_nan_there_and_all_else_is_as_without():
    bad, good = ([{"image": image(*values)}] for values in ((torch.nan,), (0.0,)))
    outputs = [run(MultiTaskPredictor, data, decollate=False).state.output["pred"] for data in (bad, good)]
    (damaged, whole), gap = outputs, (0, 0, 2, 3)
    assert damaged["denoise"][gap].isnan()
    assert damaged["denoise"].isnan().sum() == 1
    damaged["denoise"][gap] = whole["denoise"][gap]
    for name in whole:
        assert torch.equal(damaged[name], whole[name]), name


def test_a_clean_target_is_measured_there():
    data = [{"image": image(torch.nan), "denoise": image(), "segment": torch.zeros(1, 6, 6, dtype=torch.int16)}]
    metrics = run(MultiTaskEvaluator, data, key_val_metric=TASKS.metrics(2, "denoise_psnr")).state.metrics
    assert metrics["denoise_psnr"] < 40
