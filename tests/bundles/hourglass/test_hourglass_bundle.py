"""The multi-task hourglass bundle: instances made of its predictions, and its overlays."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from ..bundle_suite import BundleSuite
from ..left_by_a_run import measured
from .hourglass_bundle import HOURGLASS


class TestHourglass(BundleSuite):
    bundle = HOURGLASS
    metrics = (
        "edges_f", "segment_miou", "distance_mae", "instances_pq", "instances_ap50", "instances_merged",
    )  # fmt: skip
    written = ("edges.npy", "segment.png", "distance.npy", "instances.png", "panel.png")
    unlabeled = ("segment", "instances")
    overlays = (["volume"], ["cityscapes"], ["kitti"], ["camvid"], ["sstem"], ["components"])

    def test_inference_writes_ids_of_16_bits(self, predictions: Path) -> None:
        (file,) = predictions.glob("*_000002_instances.png")
        ids = np.asarray(Image.open(file))
        assert ids.shape == (32, 40)
        assert ids.dtype == np.uint16
        classes = np.asarray(Image.open(file.with_name(file.name.replace("_instances.", "_segment."))))
        assert not ids[classes == 0].any()  # the background has none


@pytest.mark.parametrize(
    "overlays", [pytest.param(["segment_only"], marks=pytest.mark.slow), ["three_ways", "with_edges"]]
)
def test_overlays_train(tmp_path: Path, overlays: list[str]) -> None:
    HOURGLASS.train(tmp_path, *overlays)
    names = HOURGLASS.parsed("train", *overlays).get_parsed_content("active_tasks").names
    instances = [name for name in names if name not in ("edges", "segment", "distance")]
    assert {f"{name}_pq" for name in instances} <= set(measured(tmp_path, "validation"))


def test_segment_alone_trains(tmp_path: Path) -> None:
    HOURGLASS.train(tmp_path, only="segment", key_metric_name="segment_miou", weights={"distance": 2.0})
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


def test_overlays_say_how_instances_are_made_and_losses_weighted() -> None:
    for overlay, method, sources in (
        ("components", "components", ["segment"]),
        ("segment_only", "components", ["segment"]),
        ("own_depth", "watershed", ["segment"]),
        ("volume", "watershed", ["segment", "distance"]),
    ):
        parsed = HOURGLASS.parsed("train", overlay)
        instances = parsed.get_parsed_content("active_tasks")[-1]
        assert instances.name == "instances"
        assert instances.method == method
        assert list(instances.sources) == sources
        smoothing = {"volume": 0.7}.get(overlay, 0.0)  # of the region's own depth as in "three_ways": none
        assert instances.smoothing == smoothing
    alone = HOURGLASS.parsed("train", "segment_only").get_parsed_content("active_tasks")
    assert alone.names == ("segment", "instances")
    loss = HOURGLASS.parsed("train", "uncertainty").get_parsed_content("loss")
    assert type(loss.weighting).__name__ == "UncertaintyWeighting"
    assert list(loss.losses) == ["edges", "segment", "distance"]


@pytest.mark.parametrize(("overlays", "smoothing"), [([], 1.0), (["volume"], 0.7)])
def test_with_edges_differs_from_what_it_is_compared_with_by_edges_alone(overlays: list[str], smoothing: float) -> None:
    for changed in ({}, {"tasks#3#smoothing": 2.0, "tasks#3#prominence": 1.5, "tasks#3#min_size": 8}):
        config = HOURGLASS.parsed("train", *overlays, "three_ways", "with_edges", **changed)
        tasks = config.get_parsed_content("active_tasks")
        plain, with_edges = tasks[3], tasks[-1]
        assert (plain.name, with_edges.name) == ("instances", "with_edges")
        assert plain.smoothing == changed.get("tasks#3#smoothing", smoothing)
        for name in ("segment", "distance", "things", "method", "prominence", "smoothing", "min_size", "slice_axis"):
            assert getattr(plain, name) == getattr(with_edges, name), name
        assert plain.edges is None
        assert with_edges.edges is tasks[0]


def test_volumes_train_and_become_files_of_ids(tmp_path: Path) -> None:
    small = {"load#0#spatial_size": 20, "augment#0#roi_size": [16, 16, 16]}
    HOURGLASS.train(tmp_path, "volume", **small, val_data=HOURGLASS.small["train_data"])
    HOURGLASS.predict(tmp_path, "volume", **{"load#0#spatial_size": [20, 16, 18]})
    (file,) = (tmp_path / "predictions").glob("*_instances.nii.gz")
    saved = nibabel.load(file)
    assert saved.shape == (20, 16, 18)
    assert saved.get_data_dtype() == np.uint16
