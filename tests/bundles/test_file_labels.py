"""The numbers of a user's label files, by one declaration in any bundle: into classes, and into predictions again."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from monai.networks.utils import one_hot
from PIL import Image

from .bundle_under_test import BundleUnderTest
from .test_pickled import BUNDLES
from .umc.umc_bundle import UMC


def declared(bundle: BundleUnderTest, first: int, *overlays: str) -> tuple[dict[str, Any], list[int]]:
    """Overrides that declare labels from `first` on, in steps of 5, and the labels."""
    tasks = bundle.parsed("inference", *overlays).get_parsed_content("tasks")
    index = [task.name for task in tasks].index("segment")
    labels = [0, *range(first, first + 5 * (tasks[index].channels - 1), 5)]
    return {f"tasks#{index}#labels": labels, "only": "segment"}, labels


@pytest.mark.parametrize("volume", [False, True], ids=["images", "volumes"])
@pytest.mark.parametrize("first", [3, 500])
@pytest.mark.parametrize("name", BUNDLES)
def test_predictions_hold_the_numbers_of_the_files(name: str, first: int, volume: bool, tmp_path: Path) -> None:
    bundle, overlays = BundleUnderTest(name), ["volume"] if volume else []
    changes, labels = declared(bundle, first, *overlays)
    size, ending = ((6, 5, 4), ".nii.gz") if volume else ((6, 5), ".png")
    numbers = np.random.default_rng(0).choice(labels, size).astype(np.uint8 if first == 3 else np.uint16)
    image, target = str(tmp_path / f"a{ending}"), str(tmp_path / f"a_labels{ending}")
    if volume:
        nib.save(nib.Nifti1Image(np.random.default_rng(1).normal(size=size), np.eye(4)), image)
        nib.save(nib.Nifti1Image(numbers, np.eye(4)), target)
    else:
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(image)
        Image.fromarray(numbers).save(target)
    entry = {"image": image, "segment": target}
    changes |= {"load": [{"_target_": "LoadSampled", "tasks": "@active_tasks"}], "targets": []}
    sample = bundle.parsed("train", *overlays, **changes).get_parsed_content("train#preprocessing").with_targets(entry)
    np.testing.assert_array_equal(np.array(labels)[sample["segment"][0]], numbers)

    del changes["targets"]
    prediction = one_hot(sample["segment"][None].float(), num_classes=len(labels))[0]
    config = bundle.parsed("inference", *overlays, **changes, output_dir=str(tmp_path), val_data=[])
    config.get_parsed_content("postprocessing")({"image": sample["image"], "pred": {"segment": prediction}})
    file = tmp_path / "predictions" / f"a_segment{ending}"
    saved = nib.load(file).dataobj if volume else Image.open(file)
    np.testing.assert_array_equal(np.asarray(saved), numbers)
    if volume:
        assert saved.dtype == numbers.dtype
    else:
        assert saved.mode == ("P" if first == 3 else "I;16")


def test_masks_of_0_and_255_train_and_come_back(tmp_path: Path) -> None:
    samples = []
    for index in range(3):
        mask = np.zeros((32, 32), np.uint8)
        mask[4 + 4 * index : 20, 8:24] = 255
        image = mask[..., None] * 0.5 + 60 + np.random.default_rng(index).normal(0, 20, (32, 32, 3))
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / f"{index}.png")
        Image.fromarray(mask).save(tmp_path / f"{index}_mask.png")
        samples.append({"image": str(tmp_path / f"{index}.png"), "segment": str(tmp_path / f"{index}_mask.png")})
    samples[1]["segment"] = None  # type: ignore[assignment]
    mine = {"tasks#1#classes": ["background", "lesion"], "tasks#1#palette": [[0, 0, 0], [200, 0, 0]]}
    mine |= {"tasks#1#labels": [0, 255], "load": [{"_target_": "LoadSampled", "tasks": "@active_tasks"}]}
    mine["features"] = [4, 8]
    UMC.run(tmp_path / "out", "train", **mine | {"train_data": samples, "val_data": samples[:1], "max_epochs": 30})
    UMC.run(tmp_path / "out", "inference", "files", **mine, val_data=samples[:1])
    saved = Image.open(tmp_path / "out" / "predictions" / "0_segment.png")
    assert np.unique(np.asarray(saved)).tolist() == [0, 255]
    assert (np.asarray(saved) == np.asarray(Image.open(tmp_path / "0_mask.png"))).mean() > 0.8
    assert set(map(tuple, np.asarray(saved.convert("RGB")).reshape(-1, 3).tolist())) == {(0, 0, 0), (200, 0, 0)}
