"""Every image's metrics in a table, whose columns have the reported means."""

import csv
import statistics
from pathlib import Path
from tempfile import mkdtemp

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from torch import nn

from monai_mtunet.engines import MultiTaskEvaluator
from monai_mtunet.engines.handlers.tables.case_table import CaseTable
from monai_mtunet.tasks import DepthTask, RestorationTask, SegmentationTask, TaskList

from ..losses.two_ranks import on_two_ranks

FILES = ("/data/a/scan_t1.nii.gz", "/data/a/other.nii.gz", "/data/b/scan_t1.nii.gz", "/data/b/none.nii.gz")


def tasks():
    return TaskList(
        [
            RestorationTask("denoise", 1),
            SegmentationTask("segment", ["background", "left", "right"], dice=True),
            DepthTask("depth"),
        ]
    )


class Network(nn.Module):
    """Predicts the same whatever the batch is."""

    def forward(self, x):
        return {"denoise": x * 0.9, "segment": torch.cat([x, 1 - x, 1.5 * x**2], dim=1), "depth": x + 0.5}


def samples(named=True):
    """Four images, of which one has no label, one no depth, and one no target at all."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for file in FILES:
        image = torch.rand(1, 9, 8, generator=generator)
        noise = torch.rand(1, 9, 8, generator=generator)
        found.append({
            "image": MetaTensor(image, meta={"filename_or_obj": file} if named else {}),
            "denoise": (image + noise / 4).clone(), "segment": (3 * noise).to(torch.int16), "depth": noise + 0.1,
        })  # fmt: skip
    found[0]["segment"] = torch.full_like(found[0]["segment"], 255)
    found[1]["depth"] = torch.full_like(found[1]["depth"], torch.nan)
    found[3] = {
        "image": found[3]["image"], "denoise": torch.full((1, 9, 8), torch.nan),
        "segment": torch.full((1, 9, 8), 255, dtype=torch.int16), "depth": torch.full((1, 9, 8), torch.nan),
    }  # fmt: skip
    return found


def table(folder, data, key="segment_miou", batch_size=3):
    """The rows of the table, and the reported metrics."""
    evaluator = MultiTaskEvaluator(
        tasks=tasks(), device=torch.device("cpu"), val_data_loader=DataLoader(Dataset(data), batch_size=batch_size),
        network=Network(), key_val_metric=tasks().metrics(2, key), val_handlers=[CaseTable(tasks(), folder / "c.csv")],
    )  # fmt: skip
    evaluator.run()
    if not (folder / "c.csv").exists():
        return [], evaluator.state.metrics
    with (folder / "c.csv").open() as file:
        return list(csv.DictReader(file)), evaluator.state.metrics


def column(rows, name):
    return {row["image"]: float(row[name]) for row in rows if row[name]}


def test_there_is_a_row_per_image_and_a_column_per_metric(tmp_path):
    rows, metrics = table(tmp_path, samples())
    assert list(rows[0]) == ["image", *metrics]
    assert next(iter(metrics)) == "segment_miou"
    assert {row["image"] for row in rows} == {"a/scan_t1", "a/other", "b/scan_t1", "b/none"}


@pytest.mark.parametrize(
    "name", ["denoise_psnr", "denoise_ssim", "denoise_psnr_input", "segment_dice", "depth_abs", "depth_delta1"]
)
def test_the_mean_of_a_column_is_what_is_reported(tmp_path, name):
    rows, metrics = table(tmp_path, samples())
    values = column(rows, name)
    assert len(values) in (2, 3)
    assert len(set(values.values())) == len(values)
    assert statistics.mean(values.values()) == pytest.approx(metrics[name], rel=1e-5)


def test_of_a_metric_of_the_data_set_each_image_is_a_data_set(tmp_path):
    rows, metrics = table(tmp_path, samples())
    by_image = column(rows, "segment_miou")
    assert set(by_image) == {"a/other", "b/scan_t1"}
    for index, name in ((1, "a/other"), (2, "b/scan_t1")):
        alone = table(tmp_path, samples()[index : index + 1])[1]
        assert by_image[name] == pytest.approx(alone["segment_miou"], rel=1e-5)
    assert statistics.mean(by_image.values()) != pytest.approx(metrics["segment_miou"], rel=1e-5)


def test_targets_that_are_missing_leave_empty_cells(tmp_path):
    rows, _ = table(tmp_path, samples())
    cells = {row["image"]: row for row in rows}
    assert {name for name, value in cells["a/scan_t1"].items() if not value} == {
        name for name in tasks().metrics(2, "segment_miou") if name.startswith("segment")
    }
    assert {name.partition("_")[0] for name, value in cells["a/other"].items() if not value} == {"depth"}
    assert set(cells["b/none"].values()) == {"b/none", ""}


@pytest.mark.parametrize(("key", "worst_is_largest"), [("denoise_psnr", False), ("depth_abs", True)])
def test_the_worst_by_the_key_metric_comes_first_and_what_has_none_last(tmp_path, key, worst_is_largest):
    rows, _ = table(tmp_path, samples(), key)
    values = [row[key] for row in rows]
    known = [float(value) for value in values if value]
    assert values[len(known) :] == [""] * (4 - len(known))
    assert known == sorted(known, reverse=worst_is_largest)


def test_batches_do_not_matter(tmp_path):
    assert table(tmp_path, samples(), batch_size=1)[0] == table(tmp_path, samples(), batch_size=4)[0]


def test_images_in_no_file_are_numbered_and_those_that_differ_in_their_ending_alone_keep_it(tmp_path):
    rows, _ = table(tmp_path, samples(named=False))
    assert {row["image"] for row in rows} == {"1", "2", "3", "4"}
    data = samples()
    for sample, name in zip(data, ("a/x.png", "a/x.nii.gz", "b/x.png", "c.png"), strict=True):
        sample["image"].meta["filename_or_obj"] = f"/data/{name}"
    assert {row["image"] for row in table(tmp_path, data)[0]} == {"a/x.png", "a/x.nii.gz", "b/x", "c"}


def test_an_epoch_replaces_the_rows_of_the_last(tmp_path):
    evaluator = MultiTaskEvaluator(
        tasks=tasks(), device=torch.device("cpu"), val_data_loader=DataLoader(Dataset(samples()), batch_size=2),
        network=Network(), key_val_metric=tasks().metrics(2, "denoise_psnr"),
        val_handlers=[CaseTable(tasks(), tmp_path / "c.csv")],
    )  # fmt: skip
    evaluator.run()
    first = (tmp_path / "c.csv").read_text()
    evaluator.run()
    assert (tmp_path / "c.csv").read_text() == first


def unequal_shares(rank):
    """The table of three images on the first rank and one on the second, which writes none."""
    folder = Path(mkdtemp())
    rows, metrics = table(folder, samples()[:3] if rank == 0 else samples()[3:], batch_size=2)
    return rows, dict(metrics)


def test_two_ranks_write_the_table_of_one_process(tmp_path):
    (rows, metrics), (no_rows, _) = on_two_ranks(unequal_shares, tmp_path)
    expected, reported = table(tmp_path, samples())
    assert no_rows == []
    assert rows == expected
    assert metrics == pytest.approx(reported, nan_ok=True)
