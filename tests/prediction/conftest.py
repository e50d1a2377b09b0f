"""A small trained network, and what stands around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import torch
from monai.transforms import NormalizeIntensityd

from monai_mtunet.engines import TaskPreprocessing
from monai_mtunet.files.region_writer import RegionWriter
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.networks import UMC
from monai_mtunet.prediction.parts import PredictionParts
from monai_mtunet.tasks import DepthTask, RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled


@pytest.fixture
def make_parts() -> Callable[..., PredictionParts]:
    def make(
        dims: int = 3, channels: int = 1, window: int = 8, load=(), labels=None, more=(), **identity: str
    ) -> PredictionParts:
        torch.manual_seed(0)
        tasks = TaskList(
            [
                RestorationTask("denoise", channels, data_range=(0, 100), mean=50.0, std=20.0),
                SegmentationTask("segment", ["background", "cell", "wall"], labels=labels),
                DepthTask("depth"),
                *more,
            ]
        )
        network = UMC(dims, channels, tasks.out_channels, features=(8, 16)).eval()
        normalize = NormalizeIntensityd(
            "image", subtrahend=[50.0] * channels, divisor=[20.0] * channels, channel_wise=True
        )
        preprocessing = TaskPreprocessing(
            None, dims, channels, load=[LoadSampled("image"), *load], normalize=[normalize]
        )
        inferer = MultiTaskSlidingWindowInferer([window] * dims, 3, 0.5, "gaussian", tasks=tasks)
        return PredictionParts(network, tasks, tuple(tasks), preprocessing, inferer, torch.device("cpu"), identity)

    return make


@pytest.fixture
def killed_while_naming(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """A process that is killed when it has given so many files their names."""

    @contextmanager
    def kill(renamed: int) -> Iterator[None]:
        close, closed = RegionWriter.close, []

        def killed(writer: RegionWriter) -> None:
            if len(closed) == renamed:
                raise KeyboardInterrupt
            closed.append(writer)
            close(writer)

        with monkeypatch.context() as context:
            context.setattr(RegionWriter, "close", killed)
            with pytest.raises(KeyboardInterrupt):
                yield

    return kill
