"""Instances made from files, slab by slab and region by region, against those of the whole volume in memory."""

from __future__ import annotations

import dataclasses

import nibabel
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, generate_binary_structure, label

from monai_mtunet.prediction.blocks.block_instances import BlockInstances
from monai_mtunet.prediction.blocks.block_job import BlockJob
from monai_mtunet.prediction.blocks.large_components import label_components
from monai_mtunet.prediction.predictor import Predictor
from monai_mtunet.tasks import DistanceTask, EdgeTask, InstanceTask, SegmentationTask, TaskList

CLASSES = ["background", "cell", "wall"]


def smooth(shape, seed, sigma=1.5):
    values = gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma)
    return (values / values.std()).astype(np.float32)


@pytest.mark.parametrize("slice_axis", [None, 0, 1])
@pytest.mark.parametrize("shape", [(37, 41), (15, 21, 18), (1, 9, 9)])
def test_what_is_connected_is_found_over_slabs(shape, slice_axis):
    classes = (smooth(shape, 0, 0.8) > 0.3).astype(np.uint8)
    labels = np.zeros(shape, np.uint32)
    found = label_components(classes, 1, labels, memory=1, slice_axis=slice_axis)
    structure = generate_binary_structure(len(shape), 1)
    if slice_axis is not None:
        np.moveaxis(structure, slice_axis, 0)[[0, 2]] = False
    expected, count = label(classes, structure)
    assert len(found.sizes) == count > 1
    pairs = np.unique(np.stack([expected.ravel(), found.component_of[labels].ravel()]), axis=1)
    assert pairs.shape[1] == count + 1  # each one is one of the others
    of_expected = dict(pairs.T)
    assert of_expected[0] == -1
    for number in range(1, count + 1):
        places = np.argwhere(expected == number)
        component = of_expected[number]
        np.testing.assert_array_equal(found.starts[component], places.min(axis=0))
        np.testing.assert_array_equal(found.stops[component], places.max(axis=0) + 1)
        assert found.sizes[component] == len(places)
        assert found.first[component] == np.flatnonzero(expected == number)[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "components"},
        {"method": "components", "min_size": 20},
        {"method": "components", "slice_axis": 0},
        {},
        {"distance": "distance"},
        {"distance": "distance", "edges": "edges", "prominence": 0.3, "min_size": 5},
        {"distance": "distance", "smoothing": 1.3, "prominence": 0.1},
        {"distance": "distance", "things": ["wall"]},
        {"distance": "distance", "slice_axis": 2, "smoothing": 0.7, "prominence": 0.1},
        {"slice_axis": 1},
        {"smoothing": 1.0, "prominence": 0.2},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(26, 21, 24), (40, 70)], ids=["3D", "2D"])
def test_instances_are_those_of_the_whole_volume(tmp_path, shape, arguments):
    if (arguments.get("slice_axis") or 0) >= len(shape):
        pytest.skip("no such axis")
    field = smooth(shape, 1)
    predictions = {
        "segment": torch.from_numpy(np.stack([np.full(shape, 0.8, np.float32), field, -field])),
        "distance": torch.from_numpy(4 * np.abs(field) + smooth(shape, 2, 0.7))[None],
        "edges": torch.from_numpy(smooth(shape, 3))[None],
    }
    sources = [SegmentationTask("segment", CLASSES), DistanceTask("distance", signed=False), EdgeTask("edges")]
    tasks = TaskList([*sources, InstanceTask("instances", "segment", **arguments)])
    task = tasks[-1]
    expected = task.derive(predictions)[0].numpy()
    assert expected.max() > 5

    job = BlockInstances(task, tmp_path / "scan", shape, memory=2e6)
    for output in job.outputs():
        output.writer.write(tuple(slice(0, n) for n in shape), output.task.postprocess(predictions[output.task.name]))
    assert job.number() == expected.max()
    np.testing.assert_array_equal(job._map("ids", "uint32").stored[()], expected)
    job.remove()
    assert not list(tmp_path.iterdir())


BLOCKS = 4.5e5  # bytes: the volume is predicted block by block, and its largest region fits
MORE = [DistanceTask("distance", signed=False, truncate=3), InstanceTask("instances", "segment", "distance")]


def test_a_job_with_instances_has_the_bits_of_the_whole(tmp_path, make_parts):
    values = np.random.default_rng(0).normal(50, 20, (11, 30, 13)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "scan.nii")
    parts = make_parts(more=MORE)
    parts = dataclasses.replace(parts, saved=tuple(task for task in parts.tasks if task.name in ("instances", "depth")))
    for memory, folder in ((1e9, "whole"), (BLOCKS, "blocks")):
        written = Predictor(parts, memory).predict([str(tmp_path / "scan.nii")], tmp_path / folder / "scan")
        assert sorted(path.name.split(".")[0] for path in written) == ["scan_depth", "scan_instances"]
        assert sorted(written) == sorted((tmp_path / folder).iterdir())
    assert len(BlockJob(parts, [str(tmp_path / "scan.nii")], tmp_path / "x", BLOCKS).blocks) > 3
    for task in ("instances", "depth"):
        whole, blocks = (
            nibabel.load(next((tmp_path / folder).glob(f"scan_{task}.nii*"))) for folder in ("whole", "blocks")
        )
        assert whole.get_data_dtype() == blocks.get_data_dtype()
        np.testing.assert_array_equal(np.asarray(whole.dataobj), np.asarray(blocks.dataobj))
    assert np.asarray(nibabel.load(written[-1]).dataobj).max() > 1


def test_a_region_that_does_not_fit_is_told_and_nothing_is_lost(tmp_path, make_parts):
    values = np.random.default_rng(0).normal(50, 20, (11, 30, 13)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "scan.nii")
    parts, files = make_parts(more=MORE), [str(tmp_path / "scan.nii")]
    with pytest.raises(ValueError, match=r"'instances': a region .* reaches over .* go on with so much more --memory"):
        Predictor(parts, 2e5).predict(files, tmp_path / "out" / "scan")
    assert not list((tmp_path / "out").glob("*.nii"))
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*denoise*.partial")}
    Predictor(parts, BLOCKS).predict(files, tmp_path / "out" / "scan")
    assert times
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"scan_{task}.nii" for task in ("denoise", "depth", "distance", "instances", "segment")
    ]
    assert (tmp_path / "out" / "scan_denoise.nii").stat().st_mtime_ns in times.values()  # not written again
