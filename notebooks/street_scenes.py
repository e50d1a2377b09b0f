# ---
# jupyter:
#   jupytext:
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Street scenes: classes, depth and edges from one pass
#
# One network predicts the class, the depth and the edges of every pixel. This notebook trains it, looks at what it
# predicts, and then puts **nine networks of the package** in its place, one line each. It takes one to two minutes on
# two CPU cores.
#
# **Needs** nothing: scenes are painted. With data it takes Cityscapes as the arrays that MTAN's authors published, from
# `$MONAI_DATA_DIRECTORY/cityscapes_mtan` ([where to get them](../docs/data.md#nyuv2-and-cityscapes-as-arrays)).

# %%
import os
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from monai.data import CacheDataset, DataLoader
from monai.transforms import Compose, NormalizeIntensityd, SelectItemsd
from monai.utils import set_determinism
from torch.utils.data import RandomSampler

from monai_mtunet import data, networks
from monai_mtunet.engines import MultiTaskEvaluator, MultiTaskPrepareBatch
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.pictures import task_colors
from monai_mtunet.tasks import DepthTask, EdgeTask, SegmentationTask, TaskList, draw_panel
from monai_mtunet.transforms import CannyEdgesd, CheckSampled, RandFlipGeometryd, ResizeSampled

# %matplotlib inline

# %% [markdown]
# ## Settings

# %%
SMOKE = os.environ.get("MONAI_MTUNET_SMOKE") == "1"  # continuous integration takes the smallest sizes
FOLDER = Path(os.environ.get("MONAI_DATA_DIRECTORY", "data")) / "cityscapes_mtan"
STEPS = 8 if SMOKE else 32  # of each network
BATCH_SIZE = 2 if SMOKE else 4
SIZE = (32, 64) if SMOKE else (48, 96)
TRAINING_IMAGES, VALIDATION_IMAGES = (8, 4) if SMOKE else (48, 12)
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Data and tasks
#
# A task's name is the key of its target. Where depth is not known it is NaN (here in the sky), where the class is not
# known it is 255; both count in no loss and in no score.
#
# `scale=10` lets the network predict tens of meters, numbers around 1: learned faster, and comparable with the other
# losses. Scores and pictures stay in meters. Edges need no annotation: Canny's filter makes them of the image.
#
# **Your data:** give `train_list` and `val_list` as lists of dicts of paths, and load them by `LoadSampled`.

# %%
if FOLDER.is_dir():
    targets = {"segment": "label_7", "depth": "depth"}
    train_list = data.mtan_datalist(FOLDER, "train", targets)[:TRAINING_IMAGES]
    val_list = data.mtan_datalist(FOLDER, "val", targets)[:VALIDATION_IMAGES]
    load, label_set = [data.LoadMTANArraysd()], data.CITYSCAPES_CATEGORIES
    depth = DepthTask("depth", quantity="disparity", unit="normalized disparity", draw_range=(0, 0.5))
    MEAN, STD = [73.2, 82.9, 72.4], [47.7, 48.5, 47.7]
else:
    train_list = data.synthetic_datalist(TRAINING_IMAGES, "train")
    val_list = data.synthetic_datalist(VALIDATION_IMAGES, "val")
    load, label_set = [data.LoadSyntheticd("geometry", spatial_size=SIZE)], data.GEOMETRY
    depth = DepthTask("depth", unit="m", scale=10, draw_range=(2, 25))
    MEAN, STD = [134.0, 140.0, 158.0], [38.0, 39.0, 48.0]

segment = SegmentationTask("segment", classes=label_set.classes, palette=label_set.palette)
tasks = TaskList([segment, depth, EdgeTask("edges", tolerance=1)])
prepare = [
    *load,
    ResizeSampled(tasks, SIZE),
    CannyEdgesd("image", "edges"),
    SelectItemsd(tasks.keys),
    CheckSampled(spatial_dims=2, in_channels=3, tasks=tasks),
]
normalize = NormalizeIntensityd("image", subtrahend=MEAN, divisor=STD, channel_wise=True)
flip = RandFlipGeometryd(tasks, prob=0.5, spatial_axis=1)
train_set = CacheDataset(train_list, Compose([*prepare, flip, normalize]), progress=False)
val_loader = DataLoader(CacheDataset(val_list, Compose([*prepare, normalize]), progress=False), batch_size=4)

# %% [markdown]
# ## Training and validation
#
# `train` takes a function from the tasks' channels to a network, so that any network can be put in. All see the same
# batches: images and flips are sampled by generators of their own.


# %%
def train(build, seed: int = 0) -> tuple[torch.nn.Module, list[dict[str, float]]]:
    """Train a network, and return it with the raw loss of each task in each step."""
    set_determinism(seed)
    network = build(tasks.out_channels).to(DEVICE, memory_format=torch.channels_last)
    loss_function = MultiTaskLoss(tasks.losses()).to(DEVICE)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    # Of their own: networks differ in how many numbers of the global generator their first weights take.
    chosen, flipped = (torch.Generator().manual_seed(seed) for _ in range(2))
    sampler = RandomSampler(train_set, num_samples=STEPS * BATCH_SIZE, replacement=True, generator=chosen)
    prepare_batch = MultiTaskPrepareBatch(tasks)
    history = []
    for batch in DataLoader(train_set, batch_size=BATCH_SIZE, sampler=sampler, generator=flipped):
        image, targets = prepare_batch(batch, DEVICE)
        optimizer.zero_grad()
        loss_function(network(image), targets).backward()
        optimizer.step()
        scheduler.step()
        history.append({name: value.item() for name, value in loss_function.raw_losses.items()})
    return network, history


def evaluate(network: torch.nn.Module) -> dict[str, float]:
    """The tasks' metrics over the validation images."""
    evaluator = MultiTaskEvaluator(
        tasks=tasks,
        device=DEVICE,
        val_data_loader=val_loader,
        network=network,
        key_val_metric=tasks.metrics(spatial_dims=2, key_metric="segment_miou"),
    )
    evaluator.run()
    return evaluator.state.metrics


# %% [markdown]
# ## The networks
#
# One line each: only what is in front of `channels` differs. Widths are small, so that all train in a minute; they are
# not those of the papers, and neither are the parameter counts below. SegNet and what is built on it take the same
# widths.

# %%
segnet_like = {"features": (8, 16, 32, 64), "convolutions": (2, 2, 2, 2)}
sunet_like = {"features": (32, 48, 64, 64), "modules": (1, 1, 1, 1), "module_features": 16, "stem_features": (16, 32)}
resnet_like = {"layers": (1, 1, 1, 1), "features": (16, 32, 48, 64), "block": "basic"}
builders = {
    "UMC": lambda channels: networks.UMC(2, 3, channels, features=(8, 16, 32, 64)),
    "MTUNet": lambda channels: networks.MTUNet(2, 3, channels, features=(8, 16, 32)),
    "SUNet": lambda channels: networks.SUNet(2, 3, channels, output_stride=8, **sunet_like),
    "DilatedResNet": lambda channels: networks.DilatedResNet(2, 3, channels, output_stride=8, **resnet_like),
    "SegNet": lambda channels: networks.SegNet(2, 3, channels, **segnet_like),
    "MTAN": lambda channels: networks.MTAN(2, 3, channels, **segnet_like),
    "CrossStitchSegNet": lambda channels: networks.CrossStitchSegNet(2, 3, channels, **segnet_like),
    "DenseSegNet": lambda channels: networks.DenseSegNet(2, 3, channels, **segnet_like),
    "MultiTaskHourglass": lambda channels: networks.MultiTaskHourglass(2, 3, channels, **segnet_like),
}
trained = {name: train(build) for name, build in builders.items()}

# %% [markdown]
# ## One pass, three maps
#
# Change the name to look at another network. *Where to look:* the sky's depth is white because it is missing, in the
# target only: the network says something everywhere, and what it says of the sky means nothing. Edges are
# probabilities: after few steps they are broad.

# %%
SHOWN = "UMC"
sample = next(iter(val_loader))
network = trained[SHOWN][0].eval()
with torch.no_grad():
    found = network(sample["image"].as_tensor().to(DEVICE))
draw_panel(
    tasks,
    list(sample["image"].as_tensor()[:3]),
    [{task.name: task.postprocess(found[task.name][i].cpu()) for task in tasks} for i in range(3)],
    [{task.name: task.prepare_target(sample[task.name].as_tensor())[i] for task in tasks} for i in range(3)],
    title=f"{SHOWN} after {STEPS} steps",
)

# %% [markdown]
# ## Is it learning?
#
# Raw losses of the network above. *What can go wrong:* one loss is much larger than the others and stays so while they
# fall. Then it drowns them: see [weighting](../docs/weighting.md), and the notebook
# [loss_weights](loss_weights.ipynb).

# %%
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
for task, color in task_colors(tasks.names).items():
    axis.plot(range(1, STEPS + 1), [losses[task] for losses in trained[SHOWN][1]], color=color, label=task)
axis.set(xlabel="step", ylabel="raw loss")
axis.legend(frameon=False, fontsize=8)
axis.grid(alpha=0.3)


# %% [markdown]
# ## All networks
#
# mIoU and the F-measure of edges are 1 at best; the error of depth is in its unit, and 0 at best. "one guess" is no
# network: the same class, the same depth and the same probability of an edge everywhere. What does not beat it has not
# learned that task yet.


# %%
class OneGuess(torch.nn.Module):
    """The most frequent class and the median depth of the training images, in every pixel."""

    def __init__(self) -> None:
        super().__init__()
        label = torch.cat([sample["segment"].as_tensor().flatten().long() for sample in train_set])
        self.register_buffer("logits", label[label != 255].bincount(minlength=len(segment.classes)).float())
        known = [depth.prepare_target(sample["depth"].as_tensor()[None]).flatten() for sample in train_set]
        self.register_buffer("median", torch.cat(known).nanmedian())

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """(B, C, H, W) -> the same maps for every image."""
        one = torch.ones_like(x[:, :1])
        return {"segment": self.logits.view(1, -1, 1, 1) * one, "depth": self.median * one, "edges": one}


scores = {"one guess": evaluate(OneGuess().to(DEVICE))} | {name: evaluate(net) for name, (net, _) in trained.items()}
columns = {"segment_miou": "mIoU", "depth_abs": "depth error", "edges_f": "edges F"}
print(f"{'':20}{'parameters':>12}" + "".join(f"{text:>14}" for text in columns.values()))
for name, metrics in scores.items():
    count = sum(p.numel() for p in trained[name][0].parameters()) if name in trained else 0
    print(f"{name:20}{count:12,}" + "".join(f"{metrics[column]:14.3f}" for column in columns))

# %% [markdown]
# ## What the numbers say
#
# The next cell checks that the summed losses of every network fall. **The table ranks nothing:** few steps, one seed,
# one learning rate for all, widths that were chosen to be quick. It shows what it takes to compare networks on your
# data: the same steps, several seeds, a learning rate found for each, and the widths that you can afford. After few
# steps scores can be worse than falling losses suggest, even than one guess: validation uses the running means of the
# normalization, which lag behind. How close two rows must be to mean nothing, `train(build, seed=1)` tells.

# %%
for name, (_, history) in trained.items():
    totals = [sum(losses.values()) for losses in history]
    quarter = len(totals) // 4
    first, last = sum(totals[:quarter]) / quarter, sum(totals[-quarter:]) / quarter
    print(f"{name:20} summed loss {first:.2f} -> {last:.2f}")
    assert last < first, f"{name}: the losses did not fall in {STEPS} steps."

# %% [markdown]
# ## Where to look next
#
# - The bundle for classes and depth, with validation, checkpoints and weights of the losses over time: `python -m
#   monai.bundle run --config_file bundles/mtunet/train.json`; [results](../docs/results/mtunet.md).
# - What the networks are: [UMC](../docs/umc.md), [MT-UNet](../docs/mtunet.md), [SegNet, MTAN, cross-stitch and
#   dense](../docs/mtan.md), [hourglass](../docs/hourglass.md), [stacked U-Nets](../docs/sunet.md).
# - Surface normals, a fourth map of the same scenes: `NormalsTask("normals")`. `RandFlipGeometryd` turns vectors round.
# - Depth when images are zoomed or resized: [augmentation that is true to
#   geometry](../docs/data.md#augmentation-that-is-true-to-geometry).
