"""Denoisers without parameters, as networks."""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pywt  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from skimage.restoration import denoise_nl_means, denoise_wavelet
from torch import Tensor

from .blocks.input_check import check_input
from .multi_task_network import MultiTaskNetwork

Image = NDArray[np.float64]

SMALLEST = 16  # voxels per axis: two 8x8 blocks of BM3D, one level of the wavelet


class ClassicalDenoiser(MultiTaskNetwork):
    """A classical denoiser with a network's front, to stand before a segmenter in a `NetworkChain`.

    With ``method="bm3d"`` on color images it is the CBM3D of the UMC paper's Table 1. It runs on the CPU, sample by
    sample, passes no gradient, and compiles neither to TorchScript nor under ``torch.export``.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        sigma: standard deviation of the noise in the data's own units, as 30 on a scale of 0 to 255.
        method: ``"wavelet"``: soft thresholds per wavelet band (BayesShrink), the fastest; ``"nl_means"``: non-local
            means over all channels together; ``"bm3d"``: BM3D, for three channels CBM3D, the best and by far the
            slowest; 2D only.
        task: name of the prediction.
        std: standard deviation by which the data were normalized, (x - mean) / std: one number, or one per channel;
            1 for data that are still in their own units.

    Attributes:
        out_channels: ``{task: in_channels}``.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit.
        ImportError: When `method` is ``"bm3d"`` and the package of that name is not installed. Its license allows
            non-commercial use only.

    Example:
        >>> denoiser = ClassicalDenoiser(spatial_dims=2, in_channels=3, sigma=30, std=(48, 49, 47))
        >>> denoiser(torch.rand(1, 3, 64, 64))["denoise"].shape
        torch.Size([1, 3, 64, 64])

    """

    std: Tensor

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        sigma: float,
        method: str = "wavelet",
        task: str = "denoise",
        std: float | Sequence[float] = 1.0,
    ) -> None:
        super().__init__(spatial_dims, in_channels, {task: in_channels})
        if method not in METHODS:
            raise ValueError(f"method must be one of {tuple(METHODS)}, got {method!r}.")
        stds = [float(s) for s in std] if isinstance(std, Sequence) else [float(std)] * in_channels
        if len(stds) != in_channels or min(stds) <= 0:
            raise ValueError(f"std must be one positive number, or one per channel ({in_channels}), got {std}.")
        if sigma <= 0:
            raise ValueError(f"sigma must be positive, got {sigma}.")
        if method == "bm3d":
            _check_bm3d(spatial_dims)
        self.sigma = sigma
        self.method = method
        self.task = task
        # A setting, no state: it stays out of the state dict, and follows the module to its device.
        self.register_buffer("std", torch.tensor(stds).view(-1, *[1] * spatial_dims), persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Denoise `x`, (B, in_channels, *spatial), to ``{task: tensor}`` of the same shape, type and device."""
        check_input(x, "ClassicalDenoiser", self.spatial_dims, self.in_channels)
        # All methods are equivariant to scale, so give them noise of standard deviation 1 in every channel.
        scale = self.std / self.sigma
        images = (x * scale).cpu().double().numpy()
        denoised = torch.from_numpy(np.stack([self._denoise(image) for image in images]))
        return {self.task: (denoised.to(scale) / scale).to(x)}

    def _denoise(self, image: Image) -> Image:
        """Denoise one image, (C, *spatial), mirrored at its ends to the size that every method needs."""
        padding = [(0, max(0, SMALLEST - size)) for size in image.shape[1:]]
        padded = np.pad(image, [(0, 0), *padding], mode="symmetric")
        denoised: Image = METHODS[self.method](padded)
        return denoised[tuple(slice(size) for size in image.shape)]


def _wavelet(image: Image) -> Image:
    # scikit-image's default stops three levels short of the coarsest, which leaves much noise in small images.
    wavelet = "sym4"
    levels = max(1, pywt.dwtn_max_level(image.shape[1:], wavelet) - 1)
    denoised: Image = denoise_wavelet(image, sigma=1.0, wavelet=wavelet, wavelet_levels=levels, channel_axis=0)
    return denoised


def _nl_means(image: Image) -> Image:
    settings = {"patch_size": 5, "patch_distance": 6, "h": 0.6, "sigma": 1.0}
    if len(image) > 1:
        return np.asarray(denoise_nl_means(image, **settings, channel_axis=0))
    return np.asarray(denoise_nl_means(image[0], **settings))[None]  # a channel axis of length 1 confuses its axes


def _bm3d(image: Image) -> Image:
    import bm3d

    if len(image) == 3:
        # bm3d divides by the range of each opponent color, which is 0 where an image is gray or constant: tilt one
        # channel, by a millionth of the noise.
        tilt = np.linspace(0.0, 1e-6, image.shape[-1]) * np.array([1, 0, 0]).reshape(3, 1, 1)
        return np.moveaxis(bm3d.bm3d_rgb(np.moveaxis(image + tilt, 0, -1), 1.0), -1, 0)
    return np.stack([bm3d.bm3d(channel, 1.0) for channel in image])


METHODS: dict[str, Callable[[Image], Any]] = {"wavelet": _wavelet, "nl_means": _nl_means, "bm3d": _bm3d}


def _check_bm3d(spatial_dims: int) -> None:
    if spatial_dims != 2:
        raise ValueError("method 'bm3d' is for 2D images: choose 'nl_means' or 'wavelet' for volumes.")
    if importlib.util.find_spec("bm3d") is None:
        raise ImportError(
            "method 'bm3d' needs the bm3d package, whose license allows non-commercial use only: "
            "pip install -e '.[bm3d]' in a clone"
        )
