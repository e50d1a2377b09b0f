"""A training and a validation of two small engines, with the handlers of every bundle."""

import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from torch import nn

from monai_mtunet.engines import (
    MultiTaskEvaluator,
    MultiTaskTrainer,
    TaskPreprocessing,
    TrainingHandlers,
    ValidationHandlers,
)
from monai_mtunet.losses import DynamicWeightAverage, MultiTaskLoss
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["background", "object"])])
CPU = torch.device("cpu")
EPOCHS = 3


class Network(nn.Module):
    """A head of one convolution per task."""

    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Conv2d(1, count, 1) for name, count in TASKS.out_channels.items()})

    def forward(self, x):
        return {name: head(x) for name, head in self.heads.items()}


class Writer:
    """Keeps what it is given instead of writing it."""

    def __init__(self):
        self.scalars, self.pictures = [], []

    def add_scalar(self, tag, scalar_value, global_step=None, *args, **kwargs):
        self.scalars.append((tag, global_step))

    def add_image(self, tag, img_tensor, global_step=None, *args, **kwargs):
        self.pictures.append((tag, global_step))

    def flush(self):
        pass

    def epochs_of(self, tag):
        return [step for name, step in self.scalars if name == tag]


class Run:
    """A training of four samples in two batches, with a validation of the same samples."""

    def __init__(self, folder, epochs=EPOCHS, panel_interval=1, labels=1, **arguments):
        generator = torch.Generator().manual_seed(0)
        images = [torch.rand(1, 8, 8, generator=generator) for _ in range(4)]
        data = [{"image": x, "denoise": x.clone(), "segment": (x > 0.5).to(torch.int16) * labels} for x in images]
        preprocessing = TaskPreprocessing(TASKS, spatial_dims=2, in_channels=1, load=[])
        torch.manual_seed(1)
        self.network, self.writer = Network(), Writer()
        self.loss = MultiTaskLoss(TASKS.losses(), DynamicWeightAverage(TASKS.loss_names))
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.1)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=1, gamma=0.5)
        self.evaluator = MultiTaskEvaluator(
            tasks=TASKS, device=CPU, val_data_loader=DataLoader(Dataset(data, preprocessing), batch_size=4),
            network=self.network, key_val_metric=TASKS.metrics(2, "segment_miou"),
            val_handlers=[
                ValidationHandlers(TASKS, folder / "panels", folder / "validation", self.writer, panel_interval)
            ],
        )  # fmt: skip
        loader = DataLoader(Dataset(data, preprocessing), batch_size=2, shuffle=True)
        self.handlers = TrainingHandlers(
            TASKS, self.network, self.loss, self.optimizer, self.schedule, loader, self.evaluator, folder, self.writer,
            **arguments,
        )  # fmt: skip
        self.trainer = MultiTaskTrainer(
            tasks=TASKS, device=CPU, max_epochs=epochs, train_data_loader=loader, network=self.network,
            optimizer=self.optimizer, loss_function=self.loss, train_handlers=[self.handlers],
        )  # fmt: skip
        self.rates = []
        self.trainer.add_event_handler(
            Events.ITERATION_STARTED, lambda: self.rates.append(self.optimizer.param_groups[0]["lr"])
        )
