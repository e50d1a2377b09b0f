"""A bundle that a plan is made for: what can be chosen of its network, and how fast it trains."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.config import PathLike
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from ..engines.prepare_batch import MultiTaskPrepareBatch
from .rules.network_size import NetworkSize
from .training_memory import training_memory

__all__ = ["PlannedBundle"]

# Of networks with features and strides per level, how many levels more than poolings they have.
_UNPOOLED_LEVELS = {"UMC": 1, "MTUNet": 0, "MultiTaskHourglass": 0, "MTAN": 0}
_CONVOLUTIONS = 2  # of a level
_MOST_STEPS = 20
_MEASURED_BATCH = 2
_MEASURED_SECONDS = 10.0


class PlannedBundle:
    """Reads ``train.json`` of a bundle, and tries sizes of its network.

    Args:
        folder: the bundle.

    Attributes:
        folder: the bundle.
        sized: whether features and strides can be chosen.
        takes_vectors: whether it learns vectors of whole images, such as classes.
        learning_rate: the bundle's own.

    Raises:
        FileNotFoundError: When there is no such bundle.
    """

    def __init__(self, folder: PathLike) -> None:
        self.folder = Path(folder)
        places = (self.folder / "train.json", self.folder / "configs" / "train.json")
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            raise FileNotFoundError(f"{folder} is no bundle to train: there is neither {places[0]} nor {places[1]}.")
        self.file = file
        config = self._config({})
        definition = config["network_def"]
        self._network = str(definition["_target_"]).rpartition(".")[2]
        self.sized = self._network in _UNPOOLED_LEVELS
        self.takes_vectors = "out_features" in definition
        self.learning_rate = float(config["learning_rate"])
        # Of a SegNet's layout, which has as many as features: an item of the bundle, or the network's own argument.
        own = {"MultiTaskHourglass": "network_def#convolutions"}.get(self._network)
        self._convolutions = "convolutions" if "convolutions" in config else own

    def items(self, size: NetworkSize) -> dict[str, Any]:
        """What an overlay says of a size: patch, batch, and of the network what can be chosen."""
        items: dict[str, Any] = {"patch_size": list(size.patch), "batch_size": size.batch}
        if size.features:
            levels = len(size.strides) + _UNPOOLED_LEVELS[self._network]
            items |= {"features": list(size.features[:levels]), "network_def#strides": [list(s) for s in size.strides]}
            if self._convolutions is not None:
                items[self._convolutions] = [_CONVOLUTIONS] * levels
        return items

    def network(self, overlay: Mapping[str, Any], size: NetworkSize) -> nn.Module:
        """The network of a size, on the device "meta": it has no data, and takes no memory."""
        config = self._config({**overlay, **self.items(size)})
        memory_format = config.get_parsed_content("memory_format")
        config.get_parsed_content("active_tasks")  # tasks hold values, and are made where there is memory
        with torch.device("meta"):
            network: nn.Module = config.get_parsed_content("network_def")
        return network.to(memory_format=memory_format)  # type: ignore[call-overload, no-any-return]

    def memory(self, overlay: Mapping[str, Any], size: NetworkSize) -> int:
        """Bytes that a step of training takes."""
        shape = (size.batch, int(overlay["image_channels"]), *size.patch)
        return training_memory(self.network(overlay, size), shape, self._config({}).get_parsed_content("device"))

    def operations(self, overlay: Mapping[str, Any], size: NetworkSize) -> int:
        """Floating-point operations of a forward pass, told without computing."""
        patches = torch.empty(size.batch, int(overlay["image_channels"]), *size.patch, device="meta")
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            self.network(overlay, size).eval()(patches)
        return int(counter.get_total_flops())

    def seconds_per_step(self, overlay: Mapping[str, Any], size: NetworkSize) -> float:
        """Seconds that a step takes on this machine, with samples of the data: loading, network, losses, optimizer.

        What is cached is loaded once before, as in training. Two patches are learned at a time, which takes half of the
        memory of four; the time of a patch is that of larger batches within a few percent (of one alone it is not).
        """
        few = size._replace(batch=min(size.batch, _MEASURED_BATCH))
        config = self._config({**overlay, **self.items(few)})
        samples = config.get_parsed_content("train_data")[: 2 * few.batch]
        config = self._config({**overlay, **self.items(few), "train_data": samples, "output_dir": ""})
        loader, network = (config.get_parsed_content(name) for name in ("train#dataloader", "network"))
        loss, optimizer = (config.get_parsed_content(name) for name in ("loss", "optimizer"))
        prepare = MultiTaskPrepareBatch(config.get_parsed_content("active_tasks"))
        device = config.get_parsed_content("device")
        network.train()

        def step(batch: Any) -> None:
            image, targets = prepare(batch, device)
            optimizer.zero_grad(set_to_none=True)
            loss(network(image), targets).backward()
            optimizer.step()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        batches = _endless(loader)
        step(next(batches))  # chooses kernels and fills allocators
        steps, started = 0, time.perf_counter()
        while steps < _MOST_STEPS and time.perf_counter() - started < _MEASURED_SECONDS:
            step(next(batches))
            steps += 1
        return (time.perf_counter() - started) / steps * size.batch / few.batch

    def _config(self, overlay: Mapping[str, Any]) -> ConfigParser:
        config = ConfigParser()
        config.read_config(str(self.file))
        config.update({"bundle_root": str(self.folder), **overlay})
        return config


def _endless(loader: DataLoader[Any]) -> Iterator[Any]:
    while True:
        yield from loader
