"""Random states that depend on the epoch alone, so that a resumed run repeats the uninterrupted one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from ignite.engine import Events
from monai.data.utils import set_rnd
from monai.engines import Workflow
from monai.transforms.transform import MAX_SEED
from torch.utils.data import DataLoader


class EpochSeed:
    """Seeds torch, NumPy, Python and the random transforms at the start of every epoch.

    Shuffling, augmentation, noise and dropout of an epoch then follow from ``seed``, the epoch and the rank alone,
    whatever came before; resumed training is bit-exact on the CPU.

    Args:
        seed: the run's seed.
        data_loader: the training data loader; without workers its transforms live in this process and are seeded
            here, with workers they are seeded from torch's state when the workers start.

    Raises:
        ValueError: When the loader keeps its workers over epochs, whose transforms could not be seeded again.
    """

    def __init__(self, seed: int, data_loader: DataLoader[Any]) -> None:
        if data_loader.persistent_workers:
            raise ValueError(
                "persistent_workers=True keeps random states over epochs, so that a resumed run differs from an "
                "uninterrupted one: set it to false."
            )
        self.seed = seed
        self.data_loader = data_loader

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Workflow) -> None:
        """Seed the epoch."""
        # A SeedSequence keeps epochs, ranks and runs with neighboring seeds apart.
        sequence = np.random.SeedSequence([self.seed, engine.state.epoch, engine.state.rank])
        seed = int(sequence.generate_state(1)[0]) % MAX_SEED
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        if self.data_loader.num_workers == 0:
            set_rnd(self.data_loader.dataset, seed)
