"""The overlays of the MT-UNet bundle for data sets, on a few images in their official layouts."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ..left_by_a_run import measured, network
from .mtunet_bundle import MTUNET, NETWORK

pytestmark = pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")


def save_mtan(folder: Path, classes: int, size: tuple[int, int], normals: bool) -> None:
    """Three frames in MTAN's layout; of the second all depth is invalid but one pixel."""
    rng = np.random.default_rng(0)
    for section, count in (("train", 2), ("val", 1)):
        for index in range(count):
            arrays = {
                "image": rng.random((*size, 3)),
                "label": rng.integers(-1, classes, size).astype(float),
                "depth": rng.random((*size, 1)) * (rng.random((*size, 1)) > 0.2) * 5,
            }
            if index:
                arrays["depth"][1:] = 0
            if normals:
                vectors = rng.normal(size=(*size, 3))
                arrays["normal"] = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
            for kind, values in arrays.items():
                path = folder / section / kind / f"{index}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, values)


def save_cityscapes(folder: Path) -> None:
    """Three frames in the official layout, with disparity of 16 bits, a fifth of it invalid."""
    rng = np.random.default_rng(0)
    camera = {"extrinsic": {"baseline": 0.209313}, "intrinsic": {"fx": 2262.52}}
    for section, count in (("train", 2), ("val", 1)):
        for index in range(count):
            stem = f"bonn_{index:06d}_000019"
            disparity = rng.integers(1, 32000, (64, 128)) * (rng.random((64, 128)) > 0.2)
            images = {
                f"leftImg8bit/{section}/bonn/{stem}_leftImg8bit.png": rng.integers(0, 256, (64, 128, 3), np.uint8),
                f"gtFine/{section}/bonn/{stem}_gtFine_labelIds.png": rng.integers(0, 34, (64, 128), np.uint8),
                f"disparity/{section}/bonn/{stem}_disparity.png": disparity.astype(np.uint16),
            }
            for name, values in images.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values).save(folder / name)
            path = folder / f"camera/{section}/bonn/{stem}_camera.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(camera))


@pytest.mark.parametrize(
    ("overlays", "classes"),
    [
        pytest.param(["cityscapes"], 7, marks=pytest.mark.slow),
        (["cityscapes", "nineteen_classes"], 19),
        (["cityscapes_mtan"], 7),
        pytest.param(["cityscapes_mtan", "nineteen_classes"], 19, marks=pytest.mark.slow),
        pytest.param(["nyuv2"], 13, marks=pytest.mark.slow),
        (["nyuv2", "nyuv2_normals"], 13),
    ],
)
def test_data_sets_train_evaluate_and_predict(tmp_path: Path, overlays: list[str], classes: int) -> None:
    data = tmp_path / "data"
    small = {**NETWORK, "dataset_dir": str(data)}
    if overlays[0] == "cityscapes":
        save_cityscapes(data)
        small["load#5#spatial_size"] = [16, 32]
    else:
        save_mtan(data, classes, (24, 32), normals="nyuv2_normals" in overlays)
    if overlays[0] == "cityscapes_mtan":
        small["label_folder"] = "label"
    if overlays[0] == "nyuv2":
        small["load#1#spatial_size"] = [16, 32]
    training = {**small, "max_epochs": 1, "num_workers": 0, "batch_size": 2}
    MTUNET.run(tmp_path, "train", *overlays, **training)
    MTUNET.run(tmp_path, "train", *overlays, "evaluate", **training)
    assert measured(tmp_path)["depth_abs"] > 0
    assert len(network(tmp_path)["heads.segment.bias"]) == classes
    MTUNET.run(tmp_path, "inference", *overlays, **small)
    assert len(list((tmp_path / "predictions").glob("*_panel.png"))) == 1


def test_frames_of_cityscapes_may_lack_depth_or_classes(tmp_path: Path) -> None:
    save_cityscapes(tmp_path)
    data = {
        "dataset_dir": str(tmp_path),
        "num_workers": 0,
        "load#5#spatial_size": [16, 32],
        "shuffle": False,
    }
    whole = MTUNET.parsed("train", "cityscapes", **data).get_parsed_content("train_data")[0]
    missing = [{"depth": None}, {"depth": None, "camera": None}, {"segment": None}]
    frames = [whole, *({**whole, **lacks} for lacks in missing)]
    parser = MTUNET.parsed("train", "cityscapes", **data, train_data=frames)
    batch = next(iter(parser.get_parsed_content("train#dataloader")))
    known = [bool(depth.isfinite().any()) for depth in batch["depth"]]
    assert known == [True, False, False, True]
    labeled = [bool((segment != 255).any()) for segment in batch["segment"]]
    assert labeled == [True, True, True, False]
    prepare = parser.get_parsed_content("train#preprocessing")
    unknown = {"camera": None}, ValueError  # a disparity without its camera is no depth
    left_out = {"camera": ...}, KeyError  # may be a mistake, where null says that it is meant
    for change, kind in (unknown, left_out):
        frame = {key: value for key, value in {**whole, **change}.items() if value is not ...}
        with pytest.raises(RuntimeError) as caught:
            prepare(frame)
        assert isinstance(caught.value.__cause__, kind)
