"""The multi-task hourglass bundle on a small problem, and data sets in their official layouts."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .bundle_under_test import BundleUnderTest

# Eight scenes of 32 x 32 and a network of 3 levels: seconds, where the default takes minutes.
SMALL: dict[str, Any] = {
    "train_data": "$monai_mtunet.data.synthetic_datalist(8, 'train')",
    "val_data": "$monai_mtunet.data.synthetic_datalist(4, 'val')",
    "load#0#spatial_size": 32,
    "features": [4, 4, 4, 4],
    "batch_size": 4,
    "trainer#max_epochs": 1,
}

HOURGLASS = BundleUnderTest("hourglass")


def save_street_scenes(folder: Path, encoding: str) -> None:
    """Frames in Cityscapes' or KITTI's layout: two cars that touch, a group of cars, road, and unlabeled pixels."""
    factor = {"cityscapes": 1000, "kitti": 256}[encoding]
    codes = np.full((40, 60), 7 if encoding == "cityscapes" else 7 * factor, dtype=np.uint16)
    codes[5:25, 5:20], codes[5:25, 20:40] = 26 * factor + 1, 26 * factor + 2
    codes[30:38, 40:55] = 26 if encoding == "cityscapes" else 26 * factor
    codes[:3] = 0
    rng = np.random.default_rng(0)
    if encoding == "cityscapes":
        frames = {
            f"leftImg8bit/{section}/bonn/bonn_{index:06d}_000019_leftImg8bit.png": (
                f"gtFine/{section}/bonn/bonn_{index:06d}_000019_gtFine_instanceIds.png"
            )
            for section, count in (("train", 2), ("val", 1))
            for index in range(count)
        }
    else:
        names = ("000000_10.png", "000001_10.png", "000160_10.png")
        frames = {f"training/image_2/{name}": f"training/instance/{name}" for name in names}
    for image, instances in frames.items():
        for name, values in ((image, rng.integers(0, 256, (40, 60, 3), np.uint8)), (instances, codes)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(folder / name)
