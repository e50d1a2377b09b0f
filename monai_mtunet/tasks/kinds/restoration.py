"""Restoration (denoising above all) as a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.metrics import Metric
from monai.handlers import IgniteMetricHandler
from torch import Tensor, nn

from ...losses import MissingAwareRegressionLoss
from ...metrics import MissingAwareMSEMetric, MissingAwarePSNRMetric, MissingAwareSSIMMetric
from ...pictures.picture import Picture, draw_intensities
from ..saved_as import SavedAs
from .regression import RegressionTask


class RestorationTask(RegressionTask):
    """The clean image behind a degraded one: denoising, deblurring, artifact removal.

    The network sees and predicts normalized intensities (x - mean) / std; the target is the clean image, normalized
    likewise, with NaN where it is missing. Metrics are measured in the data's own units: ``<name>_psnr`` in dB,
    10 log10(range^2 / MSE) per image without clipping, ``<name>_ssim``, and ``<name>_psnr_input``, what the network's
    input itself scores, so that the gain is the difference.

    Without a clean reference (``clean_target=False``: the validation targets are noisy too, such as blind spots or a
    second acquisition) a PSNR would measure the noise of the target. The only metric is then ``<name>_noisy_mse``, in
    squared units of the data: the squared error of the prediction plus the variance of the target's noise, so it
    ranks networks on the same data and says nothing else.

    Args:
        name: the task's name.
        channels: image channels.
        data_range: lowest and highest intensity before normalization, (0, 255) for 8-bit images.
        mean: what normalization subtracted, one number or one per channel.
        std: what normalization divided by, likewise.
        clean_target: whether validation targets are clean.
        input_metric: whether to measure ``<name>_psnr_input``; it needs an input with the target's channels.
        loss: replaces the default, the mean squared error over the valid voxels.

    Raises:
        ValueError: When the range is empty, or mean and std do not fit the channels.

    Example:
        >>> RestorationTask("denoise", channels=3, data_range=(0, 255), mean=[110, 113, 118], std=[77, 75, 76])
    """

    errors = ("noisy_mse",)
    saved_as = SavedAs.PICTURE

    def __init__(
        self,
        name: str,
        channels: int,
        data_range: Sequence[float] = (0.0, 1.0),
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        clean_target: bool = True,
        input_metric: bool = True,
        loss: nn.Module | None = None,
    ) -> None:
        super().__init__(name, channels, loss)
        self.low, self.high = map(float, data_range)
        if not self.low < self.high:
            raise ValueError(f"Task {name!r}: data_range must be (lowest, highest), got {tuple(data_range)}.")
        self.mean = self._per_channel("mean", mean)
        self.std = self._per_channel("std", std)
        if not bool((self.std > 0).all()):
            raise ValueError(f"Task {name!r}: std must be positive, got {std}.")
        self.clean_target = clean_target
        self.input_metric = input_metric

    def _per_channel(self, what: str, values: float | Sequence[float]) -> Tensor:
        tensor = torch.as_tensor(values, dtype=torch.float32)
        tensor = tensor.reshape(1) if tensor.ndim == 0 else tensor
        if tensor.ndim > 1 or len(tensor) not in (1, self.channels):
            raise ValueError(
                f"Task {self.name!r}: {what} must be one number or one per channel ({self.channels}), got {values}."
            )
        return tensor

    def default_loss(self) -> nn.Module:
        """Mean squared error over the valid voxels (UMC paper, section 4.1)."""
        return MissingAwareRegressionLoss("mse")

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        if not self.clean_target:
            return {f"{self.name}_noisy_mse": self._measure(MissingAwareMSEMetric())}
        width = self.high - self.low
        metrics: dict[str, Metric] = {
            f"{self.name}_psnr": self._measure(MissingAwarePSNRMetric(width)),
            f"{self.name}_ssim": self._measure(MissingAwareSSIMMetric(spatial_dims, data_range=width)),
        }
        if self.input_metric:
            metrics[f"{self.name}_psnr_input"] = IgniteMetricHandler(
                MissingAwarePSNRMetric(width), output_transform=self._input_and_target
            )
        return metrics

    def _prediction_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        prediction, target = super()._prediction_and_target(output)
        return self.undo(prediction), self.undo(target)

    def _input_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        image, target = output["image"], output["label"][self.name]
        if image.shape != target.shape:
            raise ValueError(
                f"Task {self.name!r}: the input {tuple(image.shape)} cannot be measured against the target "
                f"{tuple(target.shape)}; declare the task with input_metric=False."
            )
        return self.undo(image), self.undo(target)

    def undo(self, values: Tensor, channel_axis: int = 1) -> Tensor:
        """Undo the normalization: network units -> the data's own.

        Args:
            values: batch (B, C, *spatial), or one sample (C, *spatial) with ``channel_axis=0``.
            channel_axis: where the channels are.
        """
        shape = [1] * values.ndim
        shape[channel_axis] = -1
        return values * self.std.to(values).view(shape) + self.mean.to(values).view(shape)

    def normalized(self, values: Tensor, channel_axis: int = 1) -> Tensor:
        """The data's own units -> network units; arguments as for :meth:`undo`."""
        shape = [1] * values.ndim
        shape[channel_axis] = -1
        return (values - self.mean.to(values).view(shape)) / self.std.to(values).view(shape)

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Prediction (C, *spatial) in network units -> float32 in the data's units, not clipped."""
        return self.undo(prediction.float(), channel_axis=0)

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Intensities (C, *spatial) in the data's units -> network units."""
        return self.normalized(values.float(), channel_axis=0)

    def target_of_values(self, values: Tensor) -> Tensor:
        """Intensities (C, *spatial) in the data's units -> network units, as targets are normalized."""
        return self.normalized(values.float(), channel_axis=0)

    def values_of_target(self, target: Tensor) -> Tensor:
        """Target (C, *spatial) in the data's units."""
        return self.undo(target, channel_axis=0)

    def draw(self, values: Tensor) -> Picture:
        """Intensities (1 or 3, H, W) clipped to the data range, gray or RGB; missing is white.

        Of other channel counts the first is drawn, in gray.
        """
        return draw_intensities(values, self.low, self.high)

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`."""
        return super().metadata(spatial_dims) | {"format": "magnitude", "value_range": [self.low, self.high]}
