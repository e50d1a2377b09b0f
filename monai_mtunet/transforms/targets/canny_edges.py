"""Edges of an image by Canny's filter: a target that needs no annotation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import SimpleITK
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.utils import convert_to_dst_type
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from skimage.color import rgb2gray
from skimage.feature import canny

from .make_target import MakeTarget

__all__ = ["CannyEdgesd"]


class CannyEdgesd(MakeTarget):
    """Edges of an image by scikit-image, and the surfaces in a volume by SimpleITK: the target of an `EdgeTask`.

    Place it before noise. After crops, flips and zoom it sees what the network sees.

    Canny, "A computational approach to edge detection", PAMI 1986. The thresholds are OpenCV's: magnitudes of the 3 x 3
    Sobel operator on an image of 0..255, not smoothed and not divided by the operator's sum. So a step of height h
    along an axis has the magnitude 4 h, and the default finds steps from 50 on, and follows them down to 25.
    Other images are first brought from ``data_range`` to 0..255, and of colors the luminance is taken.

    In volumes the same steps are found, along any of the three axes: a magnitude is 8 times the central difference per
    voxel. Gradients are not divided by the spacing, so that a step counts the same between thick slices as within one;
    the Gaussian is that of the affine's unit (mm), and so reaches over fewer of the thick slices. Edges are surfaces of
    one voxel, on the darker or brighter side. ``slice_axis`` filters slice by slice as images are.

    Of images two things differ from ``cv2.Canny(image, 100, 200)``. The magnitude is the gradient's length, as with
    OpenCV's ``L2gradient=True``, whose default, |x| + |y|, is up to 1.41 times as much for oblique edges. And where two
    voxels in a row have equal magnitudes, as on both sides of a perfect step, both can be edges; OpenCV takes one.

    The edges are ``(1, *spatial)``, int16: 1 for edges, 0, or ``ignore_index``, with the affine of the image.

    Args:
        keys: keys of the images ``(C, *spatial)`` with one channel or three (RGB), before noise and normalization.
        new_keys: where to put the edges, one per key: the name of the task.
        low: magnitude down to which edges are followed, on the scale of 0..255.
        high: magnitude that an edge must reach somewhere.
        data_range: lowest and highest intensity of the images.
        sigma: of a Gaussian before the filter, which lowers magnitudes. In voxels of images and slices; of volumes in
            the unit of the affine, or in voxels where there is none.
        slice_axis: of volumes, the spatial axis whose slices are filtered, each alone; by default none is, and the
            filter is three-dimensional.
        ignore_index: the label where the image is NaN, or nearer to it than the filter reaches (two voxels; of smoothed
            volumes also three times sigma).
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the thresholds are not 0 < low <= high, the range is empty, or sigma is negative; of a sample,
            when the image has other channels.

    Example:
        >>> sample = {"image": 255 * (torch.arange(8) > 3).expand(1, 8, 8).float()}
        >>> CannyEdgesd("image", "edges")(sample)["edges"][0, 0]
        tensor([0, 0, 0, 1, 1, 0, 0, 0], dtype=torch.int16)
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        low: float = 100.0,
        high: float = 200.0,
        data_range: Sequence[float] = (0.0, 255.0),
        sigma: float = 0.0,
        slice_axis: int | None = None,
        ignore_index: int = 255,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, new_keys, allow_missing_keys)
        if not 0 < low <= high:
            raise ValueError(f"The thresholds must be 0 < low <= high, got {low} and {high}.")
        self.lowest, self.highest = map(float, data_range)
        if not self.lowest < self.highest:
            raise ValueError(f"data_range must be (lowest, highest), got {tuple(data_range)}.")
        if sigma < 0:
            raise ValueError(f"sigma must not be negative, got {sigma}.")
        self.low = low
        self.high = high
        self.sigma = sigma
        self.slice_axis = slice_axis
        self.ignore_index = ignore_index

    def make(self, source: torch.Tensor) -> torch.Tensor:
        """The edges of an image."""
        values = torch.as_tensor(source).cpu().double().numpy()
        if len(values) not in (1, 3):
            raise ValueError(f"Canny's filter takes one channel, or RGB, got an image of shape {tuple(source.shape)}.")
        gray = values[0] if len(values) == 1 else rgb2gray(values, channel_axis=0)
        gray = (gray - self.lowest) / (self.highest - self.lowest)
        if gray.ndim == 2:
            edges = self._slice(gray)
        elif self.slice_axis is None:
            edges = self._volume(gray, source.pixdim.tolist() if isinstance(source, MetaTensor) else [1.0] * 3)
        else:
            slices = [self._slice(plane) for plane in np.moveaxis(gray, self.slice_axis, 0)]
            edges = np.stack(slices, axis=self.slice_axis)
        result: torch.Tensor = convert_to_dst_type(edges[None], dst=source, dtype=torch.int16)[0]
        return result

    def _volume(self, gray: NDArray[np.float64], spacing: Sequence[float]) -> NDArray[np.int16]:
        known = np.isfinite(gray)
        reach = [2 + math.ceil(3 * self.sigma / step) for step in spacing]
        # Beyond the border its values go on, as far as the filter reaches.
        padded = np.pad(np.where(known, gray, 0) * 255, [(n, n) for n in reach], mode="edge")
        image = SimpleITK.GetImageFromArray(padded.astype(np.float32))
        image.SetSpacing(spacing[::-1])  # SimpleITK's first axis is the array's last
        edges = SimpleITK.CannyEdgeDetection(image, self.low / 8, self.high / 8, [self.sigma**2] * 3)
        inner = tuple(slice(n, -n) for n in reach)
        infected = binary_dilation(~known, np.ones([2 * n + 1 for n in reach]))
        return np.where(infected, self.ignore_index, SimpleITK.GetArrayFromImage(edges)[inner]).astype(np.int16)

    def _slice(self, gray: NDArray[np.float64]) -> NDArray[np.int16]:
        known = np.isfinite(gray)
        # One more voxel of the border's value on all sides: scikit-image finds no edges in the outermost ones.
        padded = np.pad(np.where(known, gray, 0), 1, mode="edge")
        edges = canny(
            padded,
            sigma=self.sigma,
            low_threshold=self.low / 255,
            high_threshold=self.high / 255,
            mask=None if known.all() else np.pad(known, 1, mode="edge"),
            mode="nearest",
        )[1:-1, 1:-1]
        infected = binary_dilation(~known, np.ones((5, 5)))
        return np.where(infected, self.ignore_index, edges).astype(np.int16)
