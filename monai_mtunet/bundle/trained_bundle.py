"""A bundle's trained network, and what it takes to predict with it."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.config import PathLike
from monai.inferers import Inferer
from monai.transforms import Compose
from torch import nn

from ..engines.handlers.checkpoints import load_checkpoint, or_last
from ..networks.multi_task_network import MultiTaskNetwork
from ..tasks import TaskList
from .configuration_files import configuration_files
from .trained_flips import Flips, trained_flips

__all__ = ["TrainedBundle"]

_OWN_FILES: dict[str, Any] = {"val_data": [], "val_degrade": []}  # no noise is added to images of a user
_PACKED = ("models/model.pt",)  # where packed bundles keep their checkpoint, in the Model Zoo's layout


class TrainedBundle:
    """Reads ``inference.json`` of a bundle and overlays, and makes of it what predicts files.

    It is the configuration of ``python -m monai.bundle run``, so that the preprocessing is that of training.

    Args:
        folder: the bundle, ``inference.json`` in it or in its ``configs``.
        overlays: further configuration files, in their order; later ones win.
        checkpoints: files of trained weights, several of which are averaged. Default: the configuration's
            ``ckpt_path``, or a packed bundle's own.
        overrides: items of the configuration by their path, such as ``{"load#0#reader": ...}``.

    Attributes:
        tasks: all that the network predicts, derived ones included.
        checkpoints: the files whose weights are taken.
        device: where networks are.

    Raises:
        FileNotFoundError: When there is no such bundle, overlay or checkpoint; it names where it was looked for.
        ValueError: When an overlay cannot be read, or an item of it is mistyped.

    Example:
        >>> bundle = TrainedBundle("bundles/umc", ["bundles/umc/hippocampus.json"])
        >>> (network,) = bundle.networks(["segment"])
    """

    def __init__(
        self,
        folder: PathLike,
        overlays: Sequence[PathLike] = (),
        checkpoints: Sequence[PathLike] = (),
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._config = ConfigParser()
        self._files = configuration_files(self.folder, overlays)
        self._config.read_config(self._files)
        self._config.update({"bundle_root": str(self.folder), **_OWN_FILES, **(overrides or {})})
        self.tasks: TaskList = self._config.get_parsed_content("active_tasks")
        self.device: torch.device = self._config.get_parsed_content("device")
        self.checkpoints = tuple(map(_existing, checkpoints)) or (self._own_checkpoint(),)

    def networks(self, tasks: Sequence[str]) -> list[nn.Module]:
        """A network per checkpoint, on the device and ready to predict some of its tasks.

        Args:
            tasks: names of the tasks to predict; what they do not need is left away.

        Raises:
            CheckpointError: When a checkpoint does not fit; it names the file.
        """
        return [self._network(checkpoint, tasks) for checkpoint in self.checkpoints]

    def preprocessing(self) -> Compose:
        """From the files of an image to what the network takes."""
        preprocessing: Compose = self._config.get_parsed_content("preprocessing")
        return preprocessing

    def inferer(self) -> Inferer:
        """How the network is applied to an image."""
        inferer: Inferer = copy.deepcopy(self._config.get_parsed_content("inferer"))
        return inferer

    def flips(self) -> Flips | None:
        """Axes along which training flipped images, ``None`` where it cannot be known (`trained_flips`)."""
        return trained_flips(self._files, len(self.window))

    @property
    def window(self) -> tuple[int, ...]:
        """The configuration's ``roi_size``, of which -1 says nothing."""
        return tuple(self._config.get_parsed_content("roi_size"))

    @property
    def image_channels(self) -> int:
        """Channels of the network's input."""
        return int(self._config.get_parsed_content("image_channels"))

    def identity(self) -> dict[str, Any]:
        """What predictions depend on, as JSON: weights and configuration, by digest."""
        parts = ("tasks", "network_def", "load", "val_crop", "normalize", "inferer", "roi_size")
        configuration = repr([self._config.get(part) for part in parts]) + repr(self._constants())
        return {
            "checkpoints": [f"{path} (sha256 {_digest(path.read_bytes())})" for path in self.checkpoints],
            "configuration": _digest(configuration.encode()),
        }

    def _constants(self) -> dict[str, Any]:
        """Plain values at the top of the configuration, which expressions refer to."""
        return {
            name: value for name, value in self._config.get().items()
            if isinstance(value, int | float | list) and name not in (*_OWN_FILES, "imports", "initialize", "run")
        }  # fmt: skip

    def _network(self, checkpoint: Path, tasks: Sequence[str]) -> nn.Module:
        network: MultiTaskNetwork = copy.deepcopy(self._config.get_parsed_content("network_def"))
        load_checkpoint(checkpoint, {"network": network}, self.device)
        memory_format = self._config.get_parsed_content("memory_format")
        network.keep_only(tasks)
        result: nn.Module = network.to(device=self.device, memory_format=memory_format).eval()  # type: ignore[call-overload]
        return result

    def _own_checkpoint(self) -> Path:
        configured = or_last(Path(self._config.get_parsed_content("ckpt_path")))
        candidates = [configured, *(self.folder / packed for packed in _PACKED)]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise FileNotFoundError(
            f"There is no trained network: neither {' nor '.join(map(str, candidates))} exists. Train the bundle, give "
            "the overlays that it was trained with (--config), or name its file (--checkpoint)."
        )


def _existing(file: PathLike) -> Path:
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"{file} does not exist.")
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
