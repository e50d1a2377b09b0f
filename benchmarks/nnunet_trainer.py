"""nnU-Net's trainer with epochs, iterations and a seed from the environment: see nnunet_training.py."""

import os
import random

import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class nnUNetTrainerForMinutes(nnUNetTrainer):  # noqa: N801, nnU-Net finds trainers by such names
    """Everything else is nnU-Net's own."""

    def __init__(self, *arguments, **more) -> None:
        super().__init__(*arguments, **more)
        self.num_epochs = int(os.environ["NNUNET_EPOCHS"])
        self.num_iterations_per_epoch = int(os.environ["NNUNET_ITERATIONS"])
        self.num_val_iterations_per_epoch = int(os.environ.get("NNUNET_VALIDATION", "2"))
        self.save_every = 1
        seed = int(os.environ["NNUNET_SEED"])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
