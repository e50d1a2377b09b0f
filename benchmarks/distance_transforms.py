"""What the targets of distance tasks cost a data loader: our transforms beside scipy, MONAI, SimpleITK and edt.

edt is no dependency: where it is not installed it is left out, and with --quick it is.
"""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import SimpleITK
import torch
from monai.transforms import DistanceTransformEDT
from numpy.typing import NDArray
from paired_runs import arguments, paired_times, print_environment, print_ratio
from scipy.ndimage import distance_transform_edt

from monai_mtunet.transforms import DistanceMapd, LabelBoundaryd

Labels = NDArray[np.int32]


def touching_objects(shape: tuple[int, ...], count: int) -> Labels:
    """An instance map: places belong to the nearest of some centers, and to none where that is far."""
    rng = np.random.default_rng(0)
    distances = np.full(shape, np.inf)
    labels = np.zeros(shape, dtype=np.int32)
    grid = np.meshgrid(*map(np.arange, shape), indexing="ij")
    radius = 0.6 * (np.prod(shape) / count) ** (1 / len(shape))
    for number in range(1, count + 1):
        center = rng.uniform(0, shape)
        distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip(grid, center, strict=True)))
        nearest = (distance < distances) & (distance < radius)
        labels[nearest], distances[nearest] = number, distance[nearest]
    return labels


def object_by_object(labels: Labels) -> NDArray[np.float64]:
    """The plain way: a transform of the whole image for every object."""
    distances = np.zeros(labels.shape)
    for number in np.unique(labels[labels > 0]):
        inside = labels == number
        distances[inside] = distance_transform_edt(inside)[inside]
    return distances


def per_instance(labels: Labels, tensor: torch.Tensor, others: bool) -> dict[str, Callable[[], object]]:
    """The depth of every voxel in its own instance."""
    distance, boundary = DistanceMapd("instances", "distance"), LabelBoundaryd("instances", "edges")
    sample = {"instances": tensor}
    runs: dict[str, Callable[[], object]] = {
        "DistanceMapd": lambda: distance(sample),
        "scipy, the whole image per instance": lambda: object_by_object(labels),
        "LabelBoundaryd": lambda: boundary(sample),
    }
    if others and find_spec("edt"):
        import edt  # type: ignore[import-not-found]

        runs["edt, all instances at once"] = lambda: np.sqrt(edt.edtsq(labels.astype(np.uint32), parallel=1))
    return runs


def of_a_mask(mask: NDArray[np.bool_], others: bool) -> dict[str, Callable[[], object]]:
    """One transform of what is inside of any instance, which all of them have."""
    tensor = torch.from_numpy(mask)[None]
    runs: dict[str, Callable[[], object]] = {
        "scipy, one mask": lambda: distance_transform_edt(mask),
        "MONAI's DistanceTransformEDT, one mask": lambda: DistanceTransformEDT()(tensor),
    }
    if others:

        def maurer() -> NDArray[np.float32]:
            image = SimpleITK.GetImageFromArray((~mask).astype(np.uint8))
            distance: NDArray[np.float32] = SimpleITK.GetArrayFromImage(
                SimpleITK.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=False)
            )
            return distance

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        runs["SimpleITK's Maurer, one mask"] = maurer
    if others and find_spec("edt"):
        import edt  # type: ignore[import-not-found]

        runs["edt, one mask"] = lambda: edt.edt(mask, parallel=1)
    return runs


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    settings = [("2D, 256 x 512, 60 instances", (256, 512), 60), ("3D, 96 x 96 x 64, 60 instances", (96, 96, 64), 60)]
    if args.quick:
        settings = [("2D", (32, 48), 5), ("3D", (16, 16, 8), 5)]
    for name, shape, count in settings:
        labels = touching_objects(shape, count)
        per_label = per_instance(labels, torch.from_numpy(labels)[None], not args.quick)
        one_mask = of_a_mask(labels > 0, not args.quick)
        times = paired_times({**per_label, **one_mask}, args.pairs)
        for runs, of in ((per_label, "DistanceMapd"), (one_mask, "scipy, one mask")):
            for run in runs:
                if run != of:
                    print_ratio(f"{name}: {run} / {of}", "time", times[run], times[of])


if __name__ == "__main__":
    main()
