"""The overlays of the MTAN bundle for data sets: pets in their official layout, and volumes of the hippocampus."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ..bundle_under_test import needs_data
from ..left_by_a_run import measured
from ..refusing import refusing
from .mtan_bundle import MTAN, NETWORK


def save_pets(folder: Path) -> None:
    """Two cats and ten dogs in the official layout, of several sizes, one of them in a palette."""
    rng = np.random.default_rng(0)
    names = [f"Bengal_{i}" for i in range(2)] + [f"beagle_{i}" for i in range(10)]
    for kind in ("images", "annotations/trimaps", "annotations/xmls"):
        (folder / kind).mkdir(parents=True)
    (folder / "annotations/list.txt").write_text(
        "".join(f"{name} {1 + name.startswith('b')} {1 + name.startswith('b')} 1\n" for name in names)
    )
    for i, name in enumerate(names):
        height, width = 40 + 4 * i, 60
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        (image.convert("P") if i == 1 else image).save(folder / f"images/{name}.jpg", "PNG" if i == 1 else "JPEG")
        trimap = np.full((height, width), 2, np.uint8)
        trimap[8:30, 10:50], trimap[10:28, 12:48] = 3, 1
        Image.fromarray(trimap).save(folder / f"annotations/trimaps/{name}.png")
        (folder / f"annotations/xmls/{name}.xml").write_text(
            "<annotation><object><bndbox><xmin>13</xmin><ymin>11</ymin><xmax>30</xmax><ymax>20</ymax></bndbox></object>"
            "</annotation>"
        )


@pytest.fixture
def pets(tmp_path: Path) -> dict[str, Any]:
    """Overrides for a small network and a few photographs."""
    save_pets(tmp_path / "pets")
    return {**NETWORK, "image_size": [32, 32], "dataset_dir": str(tmp_path / "pets")}


def test_pets_train_evaluate_and_predict(tmp_path: Path, pets: dict[str, Any]) -> None:
    training = {"batch_size": 4, "num_workers": 0, "max_epochs": 1}
    MTAN.run(tmp_path, "train", "pets", **pets, **training)
    MTAN.run(tmp_path, "train", "pets", "evaluate", **pets, **training)
    metrics = measured(tmp_path)
    assert metrics["classify_recall_dog"] == metrics["classify_accuracy"]
    assert np.isfinite(metrics["box_l2"])
    MTAN.run(tmp_path, "inference", "pets", **pets)
    written = list((tmp_path / "predictions").glob("*_segment.png"))
    assert len(written) == 3
    for file in written:  # at the size of the photograph
        photograph = tmp_path / "pets" / "images" / file.name.replace("_segment.png", ".jpg")
        assert Image.open(file).size == Image.open(photograph).size


def test_pets_boxes_are_those_of_the_resized_photograph(pets: dict[str, Any]) -> None:
    parser = MTAN.parsed("train", "pets", "edges", "denoise", **pets, augment=[])
    sample = parser.get_parsed_content("train#dataset")[0]  # 40 x 60
    assert sample["image"].shape == sample["denoise"].shape == (3, 32, 32)
    assert set(sample["edges"].unique().tolist()) == {0, 1}  # of the resized photograph
    assert sample["box"].tolist() == pytest.approx([10 / 40, 12 / 60, 20 / 40, 30 / 60], abs=1 / 32)
    assert set(sample["segment"].unique().tolist()) == {0, 1, 255}


def test_pets_without_an_outline_teach_class_and_box(pets: dict[str, Any]) -> None:
    pets |= {"augment": [], "shuffle": False, "num_workers": 0}
    whole = MTAN.parsed("train", "pets", **pets).get_parsed_content("train_data")[0]
    left_out = {key: value for key, value in whole.items() if key != "segment"}
    samples = [whole, {**whole, "segment": None}, left_out, {"image": whole["image"]}]
    (batch,) = MTAN.parsed("train", "pets", **pets, train_data=samples).get_parsed_content("train#dataloader")
    assert set(batch["segment"][0].unique().tolist()) == {0, 1, 255}
    assert (batch["segment"][1:] == 255).all()
    assert batch["classify"].flatten().tolist() == [0, 0, 0, -1]
    assert torch.equal(batch["box"][1], batch["box"][0])
    assert torch.equal(batch["box"][2], batch["box"][0])
    assert batch["box"][3].isnan().all()


@needs_data("hippocampus", "Task04_Hippocampus")
def test_volumes_of_the_hippocampus_have_surfaces_for_edges() -> None:
    one = "$monai_mtunet.data.decathlon_datalist(@dataset_dir, 'train', @fold)[:1]"
    parser = MTAN.parsed("train", "hippocampus", train_data=one)
    sample = parser.get_parsed_content("train#dataset")[0]
    assert {key: tuple(sample[key].shape) for key in ("image", "denoise", "edges", "segment")} == dict.fromkeys(
        ("image", "denoise", "edges", "segment"), (1, 32, 40, 24)
    )
    assert 0.05 < (sample["edges"] == 1).float().mean() < 0.3
    assert set(sample["segment"].unique().tolist()) <= {0, 1, 2, 255}


def test_missing_pets_are_named(tmp_path: Path) -> None:
    with refusing("Oxford-IIIT Pet"):
        MTAN.run(tmp_path, "train", "pets", **NETWORK, dataset_dir=str(tmp_path / "nowhere"))
