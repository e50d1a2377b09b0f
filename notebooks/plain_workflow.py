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
# # Networks in a plain PyTorch workflow
#
# No bundle, no configuration, no engine: a network of this package is a `torch.nn.Module` that maps an image to a dict
# with one prediction per task. This notebook trains one for ten steps, predicts an image of any size by sliding
# windows, saves the weights, loads them, and does the same in 3D. It takes seconds; what it trains is of no use yet.
#
# **Needs** nothing but the package. **Your data:** put your files into `DATALIST` below.

# %%
import os
from pathlib import Path

import torch
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, CopyItemsd, NormalizeIntensityd, RandSpatialCropd
from monai.utils import set_determinism

from monai_mtunet.data import SYNTHETIC, LoadSyntheticd, synthetic_datalist
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.networks import UMC
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList, draw_panel
from monai_mtunet.transforms import AddGaussianNoised, CheckSampled, LoadSampled, ScaleVolumeRanged

# %matplotlib inline

# %% [markdown]
# ## Settings
#
# `DATALIST` is a list of dicts, one per sample, with the paths of an image and of its label map. Where it is `None`,
# synthetic scenes are painted. With your own files also change the classes in the next cell, and `MEAN` and `STD`.

# %%
SMOKE = os.environ.get("MONAI_MTUNET_SMOKE") == "1"  # continuous integration takes the smallest sizes
DATALIST = None  # [{"image": "frames/0001.png", "segment": "labels/0001.png"}, ...]
STEPS = 10
BATCH_SIZE = 2 if SMOKE else 8
PATCH_SIZE = 32 if SMOKE else 64
MEAN, STD = [120.0] * 3, [46.0] * 3  # of the images, per channel
OUTPUT_DIR = Path("outputs") / "plain_workflow"
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
set_determinism(0)

# %% [markdown]
# ## What is predicted
#
# A [task](../docs/tasks.md) is declared once. Its name is the key of its target in a sample and of its prediction in
# the network's output. Channels and losses follow from the declaration, and so does how it is drawn. `TaskList` makes
# one object of all, which tells the network its channels.

# %%
tasks = TaskList(
    [
        RestorationTask("denoise", channels=3, data_range=(0, 255), mean=MEAN, std=STD),
        SegmentationTask("segment", classes=SYNTHETIC.classes, palette=SYNTHETIC.palette),
    ]
)
tasks.out_channels

# %% [markdown]
# ## Data
#
# MONAI's data sets and transforms, and a few of this package's. The order matters:
#
# - the clean image is copied **before** noise is added: the copy is the target;
# - `CheckSampled` stops at samples whose sizes, labels or channels do not fit, and names the file;
# - noise comes before the normalization, so its `sigma` is in the image's own units.

# %%
load = LoadSyntheticd(spatial_dims=2) if DATALIST is None else LoadSampled(tasks=tasks)
prepare = Compose(
    [
        load,
        CopyItemsd("image", names="denoise"),
        CheckSampled(spatial_dims=2, in_channels=3, tasks=tasks),
    ]
)
degrade = Compose(
    [
        AddGaussianNoised("image", sigma=30),
        NormalizeIntensityd(["image", "denoise"], subtrahend=MEAN, divisor=STD, channel_wise=True),
    ]
)
crop = RandSpatialCropd(tasks.spatial_keys, roi_size=[PATCH_SIZE, PATCH_SIZE], random_size=False)
datalist = DATALIST or synthetic_datalist(STEPS * BATCH_SIZE, "train")
loader = DataLoader(Dataset(datalist, Compose([prepare, crop, degrade])), batch_size=BATCH_SIZE, shuffle=True)
batch = next(iter(loader))
{key: tuple(batch[key].shape) for key in tasks.keys}

# %% [markdown]
# ## A network
#
# Every network has the same front: dimensions, input channels, and channels per task. It returns raw logits at the
# resolution of its input, which can be of any size. Other networks: the table in the [README](../README.md#networks).

# %%
network = UMC(spatial_dims=2, in_channels=3, out_channels=tasks.out_channels, features=(8, 16, 32))
network = network.to(DEVICE)
{task: tuple(prediction.shape) for task, prediction in network(torch.rand(1, 3, 33, 49, device=DEVICE)).items()}

# %% [markdown]
# ## Ten steps
#
# `MultiTaskLoss` compares each prediction with the target of the same name, and adds the losses up. A task prepares
# its own targets: it checks them, and brings them to the type that its loss takes. `.as_tensor()` drops MONAI's meta
# data, which only cost time inside a network.
#
# *What can go wrong:* a `ValueError` here names the task and the value that cannot be its target, most often a label
# that is no class. Labels of pixels that nobody annotated must be 255, real values that are missing NaN.


# %%
def train_steps(network: torch.nn.Module, tasks: TaskList, loader: DataLoader, steps: int) -> list[dict[str, float]]:
    """Train, and return the raw loss of each task in each step."""
    loss_function = MultiTaskLoss(tasks.losses()).to(DEVICE)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    history = []
    network.train()
    for _, batch in zip(range(steps), loader, strict=False):
        image = batch["image"].as_tensor().to(DEVICE)
        targets = {task.name: task.prepare_target(batch[task.name].as_tensor()).to(DEVICE) for task in tasks}
        loss = loss_function(network(image), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append({name: value.item() for name, value in loss_function.raw_losses.items()})
    return history


history = train_steps(network, tasks, loader, STEPS)
for step in (0, len(history) - 1):
    print(f"step {step + 1:2d}:", {name: round(value, 3) for name, value in history[step].items()})
assert sum(history[-1].values()) < sum(history[0].values()), "The losses did not fall: lower the learning rate."

# %% [markdown]
# ## A whole image, window by window
#
# MONAI's `SlidingWindowInferer` sorts the tasks, and in some modes returns only the first.
# `MultiTaskSlidingWindowInferer` takes the same arguments and does not. Call `network.eval()` first, or normalization
# uses the window's own statistics.

# %%
inferer = MultiTaskSlidingWindowInferer(roi_size=(PATCH_SIZE, PATCH_SIZE), sw_batch_size=4, overlap=0.5)
whole = Compose([prepare, degrade])((DATALIST or synthetic_datalist(1, "val"))[0])
network.eval()
with torch.no_grad():
    prediction = inferer(whole["image"][None].to(DEVICE), network)
{task: tuple(values.shape) for task, values in prediction.items()}


# %% [markdown]
# Each task turns its logits into what is saved (`postprocess`) and draws it. Ten steps are nothing: shapes begin to
# show, colors and classes are not learned yet. The normalization is not settled either: in `eval` mode it uses running
# means that need some hundred steps.


# %%
def panel(tasks: TaskList, sample: dict, prediction: dict, title: str):
    """One row: the input, then prediction and target of each task."""
    found = {task.name: task.postprocess(prediction[task.name][0].cpu()) for task in tasks}
    targets = {task.name: task.prepare_target(sample[task.name].as_tensor()[None])[0] for task in tasks}
    return draw_panel(tasks, [sample["image"].as_tensor()], [found], [targets], title)


panel(tasks, whole, prediction, f"after {STEPS} steps")

# %% [markdown]
# ## Save and load
#
# The weights are a plain state dict, and load with `weights_only=True`, which runs no code from the file. They do not
# say what network they are of: build it with the same arguments. `monai_mtunet.pretrained.load_pretrained` takes over
# what fits from weights of another network, and says what it took.

# %%
OUTPUT_DIR.mkdir(parents=True, exist_ok=True)
torch.save(network.state_dict(), OUTPUT_DIR / "umc.pt")

restored = UMC(spatial_dims=2, in_channels=3, out_channels=tasks.out_channels, features=(8, 16, 32))
restored.load_state_dict(torch.load(OUTPUT_DIR / "umc.pt", weights_only=True, map_location="cpu"))
restored.to(DEVICE).eval()
with torch.no_grad():
    again = inferer(whole["image"][None].to(DEVICE), restored)
for task in tasks:
    torch.testing.assert_close(again[task.name], prediction[task.name])
print("The loaded network predicts the same.")

# %% [markdown]
# ## The same in 3D
#
# `spatial_dims=3` is all that changes in the network. Where slices are much thicker than pixels, pool less along that
# axis: `strides=((2, 2, 1), (2, 2, 2))`. Volumes have no common unit, so each is scaled by its own range
# (`ScaleVolumeRanged`), and `sigma` is then a part of that range.
#
# *What can go wrong:* memory. Train on patches, and give sliding windows `sw_batch_size=2` or more: on a CPU, 3D
# convolutions of a single small window can be several times slower.

# %%
volume_tasks = TaskList(
    [
        RestorationTask("denoise", channels=1, data_range=(0, 1), mean=0.5, std=0.2),
        SegmentationTask("segment", classes=SYNTHETIC.classes, palette=SYNTHETIC.palette),
    ]
)
size = 24 if SMOKE else 32
prepare_volume = Compose(
    [
        LoadSyntheticd(spatial_dims=3, spatial_size=size + 16),
        ScaleVolumeRanged("image"),
        CopyItemsd("image", names="denoise"),
        CheckSampled(spatial_dims=3, in_channels=1, tasks=volume_tasks),
    ]
)
degrade_volume = Compose(
    [AddGaussianNoised("image", sigma=0.1), NormalizeIntensityd(["image", "denoise"], subtrahend=0.5, divisor=0.2)]
)
crop_volume = RandSpatialCropd(volume_tasks.spatial_keys, roi_size=[size] * 3, random_size=False)
volumes = Dataset(synthetic_datalist(STEPS * 2, "train"), Compose([prepare_volume, crop_volume, degrade_volume]))
volume_loader = DataLoader(volumes, batch_size=2, shuffle=True)

volume_network = UMC(
    spatial_dims=3,
    in_channels=1,
    out_channels=volume_tasks.out_channels,
    features=(8, 16, 32),
    strides=((2, 2, 1), (2, 2, 2)),
).to(DEVICE)
volume_history = train_steps(volume_network, volume_tasks, volume_loader, STEPS)
for step in (0, len(volume_history) - 1):
    print(f"step {step + 1:2d}:", {name: round(value, 3) for name, value in volume_history[step].items()})
assert sum(volume_history[-1].values()) < sum(volume_history[0].values())

# %%
volume = Compose([prepare_volume, degrade_volume])(synthetic_datalist(1, "val")[0])
volume_inferer = MultiTaskSlidingWindowInferer(roi_size=[size] * 3, sw_batch_size=2, overlap=0.25, mode="gaussian")
volume_network.eval()
with torch.no_grad():
    volume_prediction = volume_inferer(volume["image"][None].to(DEVICE), volume_network)
panel(volume_tasks, volume, volume_prediction, f"middle slice of a volume, after {STEPS} steps")

# %% [markdown]
# ## Where to look next
#
# - What this notebook left out, and the bundles have: learning-rate schedule, validation, checkpoints that resume,
#   files as output. `python -m monai.bundle run --config_file bundles/umc/train.json` runs it all, and [its
#   README](../bundles/umc/README.md) lists what can be changed.
# - Samples that lack a target: [missing targets](../docs/missing_targets.md).
# - Losses of very different size: [weighting](../docs/weighting.md), and the notebook
#   [loss_weights](loss_weights.ipynb).
# - More kinds of tasks, and one of your own: [tasks](../docs/tasks.md), [your_own_task](your_own_task.ipynb).
