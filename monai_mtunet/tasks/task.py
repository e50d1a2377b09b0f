"""The task: one thing that a network predicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from ignite.metrics import Metric
from torch import Tensor, nn

from ..pictures import ColorBar
from ..pictures.picture import Picture
from .averaging import Averaging
from .saved_as import SavedAs

_TAKEN = ("image", "panel")  # the network's input in every sample, and <file>_panel.png


class Task(ABC):
    """One thing that a network predicts, declared once.

    Its name is the key in the network's output, in the targets, in metric names and in saved files; channels, loss,
    metrics, post-processing and how it is drawn follow from the declaration. To add a kind, subclass this in a file
    of its own in ``monai_mtunet/tasks/``.

    Args:
        name: a Python identifier, unique among the network's tasks; not "image" or "panel", which samples and files
            bear already.
        channels: channels of the network's head; of a task that is not dense the length of its vector.
        loss: replaces the kind's own loss; a module (prediction, target) -> 0-d tensor.

    Attributes:
        measured_with: names of other tasks whose predictions and targets its metrics need.
        saved_as: what its files hold; from it follows whether it is dense.
        averaging: how predictions of scaled and flipped copies of an image become one (`MultiScaleFlipInferer`).
        has_window_mean: of a task that is not dense, whether the mean over windows of an image is an answer for the
            image: it is for classes, not for places (`MultiTaskSlidingWindowInferer`).
        errors: names of the metrics, without the task's, of which less is better.
        target_classes: of targets that are class numbers, how many classes there are; 0 for other targets.
        is_box: whether its target is a box, painted as a mask while samples are augmented.
        is_direction: whether its values are vectors in space, which flips turn.
        class_of_label: of the numbers in its label files their classes, where files hold others than class numbers.
        zoom_exponent: what an image s times as large does to values: they are multiplied by s to this power.

    Raises:
        ValueError: When the name is not an identifier or taken, or there is not at least one channel.
    """

    averaging: Averaging = Averaging()
    class_of_label: Mapping[int, int] = MappingProxyType({})
    errors: tuple[str, ...] = ()
    has_window_mean: bool = False
    is_box: bool = False
    is_direction: bool = False
    measured_with: tuple[str, ...] = ()
    saved_as: SavedAs = SavedAs.VALUES
    target_classes: int = 0
    zoom_exponent: int = 0

    def __init__(self, name: str, channels: int, loss: nn.Module | None = None) -> None:
        if not name.isidentifier():
            raise ValueError(f"The task name {name!r} must be a Python identifier: modules, files and metrics bear it.")
        if name in _TAKEN:
            raise ValueError(
                f"No task can be named {name!r}: samples hold the image, and files the panel, by that name."
            )
        if channels < 1:
            raise ValueError(f"Task {name!r} needs at least one channel, got {channels}.")
        self.name = name
        self.channels = channels
        self._loss = loss

    @property
    def is_dense(self) -> bool:
        """Whether it is predicted per voxel, (B, C, *spatial). Otherwise there is one vector per image, (B, C)."""
        return self.saved_as is not SavedAs.JSON

    @abstractmethod
    def default_loss(self) -> nn.Module:
        """The loss of this kind of task."""

    def loss(self) -> nn.Module:
        """The declared loss, or the kind's own: a module (prediction, target) -> 0-d tensor."""
        return self.default_loss() if self._loss is None else self._loss

    @abstractmethod
    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """Ignite metrics by name (prefixed with the task's), to attach to an engine whose output is undecollated.

        Args:
            spatial_dims: 2 or 3.
        """

    def metrics_of_parts(self, spatial_dims: int) -> dict[str, Metric]:
        """The metrics of one image that is given in parts, as batches one after another; the same names and values.

        Empty where they need the whole image, as most do.

        Args:
            spatial_dims: 2 or 3.
        """
        return {}

    @abstractmethod
    def prepare_target(self, target: Tensor) -> Tensor:
        """Check a batch of targets and bring it to the type that loss and metrics take.

        Args:
            target: (B, C, *spatial) as collated, on the CPU; without spatial axes where the task is not dense.

        Raises:
            ValueError: When the target cannot be of this task.
        """

    def missing_value(self) -> Tensor:
        """A voxel without a target (C,), of the type that loaded targets have; NaN unless the kind says otherwise.

        Of a task that is not dense: the whole target of one sample, as it is collated.
        """
        return torch.full((self.channels,), torch.nan)

    def undo_flip(self, prediction: Tensor, spatial_axis: int) -> Tensor:
        """What a flip of the image did to predicted values; here nothing, since voxels are back in their place.

        Args:
            prediction: raw network output for the flipped image (B, C, *spatial), flipped back; or (B, C).
            spatial_axis: the axis of the flip, 0 for the first spatial one.
        """
        return prediction

    def undo_scale(self, prediction: Tensor, factor: float) -> Tensor:
        """What resizing the image did to predicted values; here nothing.

        Args:
            prediction: network output (B, C, *spatial) for an image ``factor`` times as large; or (B, C).
            factor: the same along all axes.
        """
        return prediction

    @abstractmethod
    def postprocess(self, prediction: Tensor) -> Tensor:
        """Raw network output (C, *spatial) of one sample -> what is saved, (C', *spatial); or (C,) -> (C',)."""

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """What is saved (C', *spatial) or (C',) -> a prediction (C, *spatial) or (C,) that is measured as the original.

        Files of predictions are measured by it. A kind says so itself, as what was lost, logits of a label map, is not
        there to be found.

        Raises:
            NotImplementedError: When the kind does not say so.
            ValueError: When values cannot be saved ones of this task.
        """
        raise NotImplementedError(
            f"Task {self.name!r}: {type(self).__name__} does not say how saved values are measured: define "
            "undo_postprocess, or leave the task out."
        )

    def target_of_values(self, values: Tensor) -> Tensor:
        """A target (C, *spatial) in the units of what is saved -> as it is loaded; here the same.

        Args:
            values: what is missing is marked as in targets.
        """
        return values

    @abstractmethod
    def draw(self, values: Tensor) -> Picture:
        """Post-processed values (C', H, W) or (C',), which may be missing -> RGB picture (H, W, 3)."""

    def draw_with_input(self, values: Tensor, image: Tensor, picture: Picture) -> Picture:
        """Like :meth:`draw`, beside the network's input, which some kinds draw on or need for their colors.

        Args:
            values: as for :meth:`draw`.
            image: the network's input (C, H, W); of a volume the same slice.
            picture: how the panel shows the input (H, W, 3).
        """
        return self.draw(values)

    def to_file(self, values: Tensor) -> Tensor:
        """Post-processed values (C', *spatial) as files hold them; here the same."""
        return values

    def file_legend(self) -> dict[int, tuple[str, tuple[int, int, int]]]:
        """What the numbers in label files mean, and RGB; here the legend, numbered from 0 on."""
        return dict(enumerate(self.legend().items()))

    def to_json(self, values: Tensor) -> dict[str, Any]:
        """Post-processed values (C',) as what is saved of a task that is not dense."""
        return {"values": values.tolist()}

    def from_json(self, content: Mapping[str, Any]) -> Tensor:
        """The way back from :meth:`to_json`: post-processed values (C',)."""
        return torch.tensor(content["values"], dtype=torch.float32)

    def values_of_target(self, target: Tensor) -> Tensor:
        """A prepared target (C, *spatial) in the units of :meth:`postprocess`, to be drawn beside it."""
        return target

    def legend(self) -> dict[str, tuple[int, int, int]]:
        """What the colors of :meth:`draw` mean, ``{text: RGB}``; empty where they are the intensities themselves."""
        return {}

    def color_bar(self) -> ColorBar | None:
        """The scale of :meth:`draw`, one for predictions and targets; none where colors are not those of a scale."""
        return None

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """The description of this output in a bundle's ``metadata.json`` (``network_data_format.outputs``)."""
        return {
            "type": "image",
            "format": type(self).__name__,
            "num_channels": self.channels,
            "spatial_shape": ["*"] * spatial_dims,
            "dtype": "float32",
            "value_range": [],
            "is_patch_data": False,
            "channel_def": {str(i): f"{self.name}_{i}" for i in range(self.channels)},
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, channels={self.channels})"
