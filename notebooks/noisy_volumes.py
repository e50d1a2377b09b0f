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
# # Noisy volumes: denoise and segment in one network
#
# MRI is noisy where it must be fast. Here one 3D network removes the noise *and* segments, at any of three noise
# levels, and is compared with two networks that do one task each. It takes one to two minutes on two CPU cores.
#
# **Needs** nothing: without data it paints synthetic phantoms. With data it takes the hippocampus volumes (MRI, 27 MB)
# of the Medical Segmentation Decathlon, from `$MONAI_DATA_DIRECTORY/hippocampus/Task04_Hippocampus`, or downloaded by
# MONAI. **Your data:** change the cell "Data".

# %%
import os
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from monai.apps import DecathlonDataset
from monai.data import CacheDataset, DataLoader
from monai.transforms import (
    Compose,
    CopyItemsd,
    MapLabelValued,
    NormalizeIntensityd,
    RandSpatialCropd,
    SelectItemsd,
)
from monai.utils import set_determinism
from torch.utils.data import RandomSampler

from monai_mtunet import data
from monai_mtunet.engines import MultiTaskEvaluator, MultiTaskPrepareBatch
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.losses import MissingAwareSegmentationLoss, MultiTaskLoss
from monai_mtunet.networks import UMC
from monai_mtunet.pictures import task_colors
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList, draw_panel
from monai_mtunet.transforms import (
    AddGaussianNoised,
    AddRicianNoised,
    CheckSampled,
    LoadSampled,
    PadSampled,
    ScaleVolumeRanged,
)

# %matplotlib inline

# %% [markdown]
# ## Settings
#
# More `STEPS` is the first thing to change when numbers matter: what is set here shows the way, not what the networks
# can do.

# %%
SMOKE = os.environ.get("MONAI_MTUNET_SMOKE") == "1"  # continuous integration takes the smallest sizes
FOLDER = Path(os.environ.get("MONAI_DATA_DIRECTORY", "data")) / "hippocampus" / "Task04_Hippocampus"
DOWNLOAD = False  # True: MONAI downloads the volumes into FOLDER's parent, once
STEPS = 16 if SMOKE else 100
BATCH_SIZE = 2
TRAINING_VOLUMES, VALIDATION_VOLUMES = (8, 2) if SMOKE else (40, 5)
FEATURES = (8, 16, 32)
LEVELS = (0.05, 0.1, 0.2)  # of the noise, in parts of each volume's range of intensities
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Data
#
# A data list is a list of dicts of paths. Three things to get right with your own:
#
# - **Split by patient, not by file.** Hippocampus volumes 2k-1 and 2k are the two sides of one scan. A random split
#   puts one side into training and the other into validation, and the scores are too good. `group` tells which files
#   belong together.
# - **Labels are 0, 1, 2, ...**; voxels that nobody annotated are 255. `MapLabelValued` renumbers.
# - **Scale each volume by itself** (`ScaleVolumeRanged`): MRI has no unit.

# %%
if DOWNLOAD and not FOLDER.is_dir():
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    DecathlonDataset(FOLDER.parent, FOLDER.name, "training", download=True, cache_num=0)

if FOLDER.is_dir():
    train_list = data.decathlon_datalist(FOLDER, "train", group=data.hippocampus_scan)[:TRAINING_VOLUMES]
    val_list = data.decathlon_datalist(FOLDER, "val", group=data.hippocampus_scan)[:VALIDATION_VOLUMES]
    load = [LoadSampled(["image", "segment"], label_keys="segment")]
    label_set, patch_size = data.HIPPOCAMPUS, [32, 32, 16]
else:
    label_set, patch_size = data.SYNTHETIC_CATEGORIES, [32, 32, 16]
    train_list = data.synthetic_datalist(TRAINING_VOLUMES, "train")
    val_list = data.synthetic_datalist(VALIDATION_VOLUMES, "val")
    load = [
        data.LoadSyntheticd(spatial_dims=3, spatial_size=40),
        MapLabelValued("segment", label_set.labels, label_set.class_of_label, dtype=torch.int16),
    ]
print(f"{len(train_list)} training and {len(val_list)} validation volumes:", "MRI" if FOLDER.is_dir() else "phantoms")

# %% [markdown]
# ## Tasks
#
# What is predicted, declared once: channels, losses, metrics and pictures follow. `mean` and `std` are those of the
# scaled volumes (`monai.data.DatasetSummary` measures yours); the restoration task undoes them, so that PSNR and
# pictures are in the volumes' own range.

# %%
MEAN, STD = 0.5, 0.25
denoise = RestorationTask("denoise", channels=1, data_range=(0, 1), mean=MEAN, std=STD)
segment = SegmentationTask(
    "segment",
    classes=label_set.classes,
    palette=label_set.palette,
    dice=True,
    loss=MissingAwareSegmentationLoss(lambda_dice=1.0),
)
tasks = TaskList([denoise, segment])

# %% [markdown]
# ## Transforms
#
# The clean volume is copied first, then noise is added to the image alone. In training the level is sampled from the
# whole range for every patch; in validation the noise is `reproducible`: the same for every network that is compared.
#
# Volumes smaller than the patch are padded with *missing* targets (NaN and 255), never with class 0.

# %%
prepare = [
    *load,
    ScaleVolumeRanged("image", lower=0),  # the lowest value becomes 0: Rician noise needs magnitudes
    CopyItemsd("image", names="denoise"),
    SelectItemsd(tasks.keys),
    CheckSampled(spatial_dims=3, in_channels=1, tasks=tasks),
]
patch = [
    PadSampled(tasks, patch_size),
    RandSpatialCropd(tasks.spatial_keys, patch_size, random_size=False),
]
normalize = [NormalizeIntensityd(["image", "denoise"], subtrahend=MEAN, divisor=STD)]
fresh_noise = [AddGaussianNoised("image", sigma=(LEVELS[0], LEVELS[-1]))]
validation_noise = {f"Gaussian {level}": AddGaussianNoised("image", level, reproducible=True) for level in LEVELS}
validation_noise[f"Rician {LEVELS[-1]}"] = AddRicianNoised("image", LEVELS[-1], reproducible=True)

train_set = CacheDataset(train_list, Compose([*prepare, *patch, *fresh_noise, *normalize]), progress=False)
val_loaders = {
    name: DataLoader(CacheDataset(val_list, Compose([*prepare, noise, *normalize]), progress=False), batch_size=1)
    for name, noise in validation_noise.items()
}

# %% [markdown]
# ## Training and validation
#
# Every network gets the same number of steps, of the same patches and noise, whatever its tasks: volumes, patches and
# noise are sampled by generators of their own. `MultiTaskPrepareBatch` checks the targets and names the file that does
# not fit. `MultiTaskEvaluator` is MONAI's evaluator, with the metrics that the tasks bring. It predicts whole volumes
# window by window, several windows at a time: any size fits.


# %%
inferer = MultiTaskSlidingWindowInferer(patch_size, sw_batch_size=4, overlap=0.25, mode="gaussian")


def train(tasks: TaskList, seed: int = 0) -> torch.nn.Module:
    """Train a network for these tasks."""
    set_determinism(seed)
    network = UMC(3, 1, tasks.out_channels, features=FEATURES)
    network = network.to(DEVICE, memory_format=torch.channels_last_3d)  # the same, faster
    loss_function = MultiTaskLoss(tasks.losses()).to(DEVICE)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    # Of their own: networks differ in how many numbers of the global generator their first weights take.
    chosen, transformed = (torch.Generator().manual_seed(seed) for _ in range(2))
    sampler = RandomSampler(train_set, num_samples=STEPS * BATCH_SIZE, replacement=True, generator=chosen)
    prepare_batch = MultiTaskPrepareBatch(tasks)
    for batch in DataLoader(train_set, batch_size=BATCH_SIZE, sampler=sampler, generator=transformed):
        image, targets = prepare_batch(batch, DEVICE)
        optimizer.zero_grad()
        loss_function(network(image), targets).backward()
        optimizer.step()
        scheduler.step()
    print("trained", tasks.names, {name: round(loss.item(), 2) for name, loss in loss_function.raw_losses.items()})
    return network


def evaluate(network: torch.nn.Module, tasks: TaskList, loader: DataLoader) -> dict[str, float]:
    """The tasks' metrics over a validation set."""
    evaluator = MultiTaskEvaluator(
        tasks=tasks,
        device=DEVICE,
        val_data_loader=loader,
        network=network,
        inferer=inferer,
        key_val_metric={name: metric for task in tasks for name, metric in task.metrics(spatial_dims=3).items()},
    )
    evaluator.run()
    return evaluator.state.metrics


# %%
denoise_only, segment_only = TaskList(tasks, only="denoise"), TaskList(tasks, only="segment")
joint = train(tasks)
denoiser = train(denoise_only)
segmenter = train(segment_only)

# %% [markdown]
# ## Before and after
#
# Middle slices of one validation volume. *Where to look:* the first column is what the network sees. If the denoised
# image is blurred, train longer; if it is of another brightness than its target, `MEAN` and `STD` are not those of the
# data. Segments that stop at a straight line point to padding or a wrong orientation of the labels.

# %%
samples = [next(iter(loader)) for loader in val_loaders.values()]
joint.eval()
with torch.no_grad():
    predictions = [inferer(sample["image"].as_tensor().to(DEVICE), joint) for sample in samples]
draw_panel(
    tasks,
    [sample["image"].as_tensor()[0] for sample in samples],
    [{task.name: task.postprocess(found[task.name][0].cpu()) for task in tasks} for found in predictions],
    [{task.name: task.prepare_target(sample[task.name].as_tensor())[0] for task in tasks} for sample in samples],
    title="one volume, from top to bottom: " + ", ".join(val_loaders),
)

# %% [markdown]
# ## One network or two?
#
# PSNR is of the volume's own range, in dB, and higher is better; "input" is that of the noisy volume itself. Dice is
# the mean over foreground classes and volumes, 1 at best.
#
# *What can go wrong:* where the PSNR of the input is higher than that of the networks, denoising does harm. After few
# steps this is so where noise is weak: a network blurs a little whatever it is given.

# %%
scores = {}
for name, loader in val_loaders.items():
    both = evaluate(joint, tasks, loader)
    scores[name] = {
        "PSNR input": both["denoise_psnr_input"],
        "PSNR joint": both["denoise_psnr"],
        "PSNR alone": evaluate(denoiser, denoise_only, loader)["denoise_psnr"],
        "Dice joint": both["segment_dice"],
        "Dice alone": evaluate(segmenter, segment_only, loader)["segment_dice"],
    }
columns = list(next(iter(scores.values())))
print(f"{'noise':14}" + "".join(f"{column:>12}" for column in columns))
for name, row in scores.items():
    print(f"{name:14}" + "".join(f"{row[column]:12.2f}" for column in columns))

# %%
colors = task_colors(tasks.names)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for axis, what, task in zip(axes, ("PSNR", "Dice"), ("denoise", "segment"), strict=True):
    for line, (kind, style) in enumerate((("input", ":"), ("alone", "--"), ("joint", "-"))):
        if f"{what} {kind}" in columns:
            values = [row[f"{what} {kind}"] for row in scores.values()]
            color = "gray" if kind == "input" else colors[task]
            axis.plot(list(scores), values, style, color=color, marker="osD"[line], label=kind)
    axis.set_ylabel(f"{what} [dB]" if what == "PSNR" else what)
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize=8)

# %% [markdown]
# ## What the numbers say
#
# The next cell states what holds in every run of this notebook, and stops where it does not. It states no more than
# that: **which is better, one network or two, is left to your own run.** In the longer runs of [the
# results](../docs/results/umc.md) networks of one task were ahead at equal steps, by 0.02 Dice and 0.5 dB; the joint
# network does both with fewer parameters than the two. Differences of one run with one seed mean little: a Dice that
# is half of another often only says that one of the classes was not learned yet. Repeat with `train(tasks, seed=1)`.

# %%
most = scores[f"Gaussian {LEVELS[-1]}"]
assert most["PSNR joint"] > most["PSNR input"] + 1, "At the strongest noise the joint network gains more than 1 dB."
assert most["PSNR alone"] > most["PSNR input"] + 1
parameters = {name: sum(p.numel() for p in net.parameters()) for name, net in (("joint", joint), ("alone", denoiser))}
parameters["alone"] += sum(p.numel() for p in segmenter.parameters())
assert parameters["joint"] < parameters["alone"], "One network is smaller than two."
print(f"gain at the strongest Gaussian noise: {most['PSNR joint'] - most['PSNR input']:.1f} dB")
print(f"parameters: {parameters['joint']:,} in one network, {parameters['alone']:,} in two")

# %% [markdown]
# ## Rician noise
#
# Magnitude MRI has no Gaussian noise. Its noise is never negative, and raises the mean where the signal is weak: black
# becomes gray. The networks above never saw it. Train with it by one line, `fresh_noise = [AddRicianNoised(...)]`, and
# see whether the last row gets better.

# %%
clean = samples[-1]["denoise"].as_tensor()[0] * STD + MEAN
dark = clean < clean.quantile(0.1)
names = {"clean": clean}
names |= {
    name: sample["image"].as_tensor()[0] * STD + MEAN
    for name, sample in list(zip(val_loaders, samples, strict=True))[-2:]
}
for name, values in names.items():
    print(f"mean of the darkest tenth, {name}: {values[dark].mean():.3f}")
gaussian, rician = list(names.values())[1:]
assert rician[dark].mean() > gaussian[dark].mean() + 0.05

# %% [markdown]
# ## Where to look next
#
# - The same as a bundle, with checkpoints, TensorBoard and files in scanner units: `python -m monai.bundle run
#   --config_file "['bundles/umc/train.json','bundles/umc/hippocampus.json']"`
# - [The network](../docs/umc.md): the order of tasks, and how their decoders are connected.
# - [Results with three seeds](../docs/results/umc.md), among them those with few labels.
# - No clean volumes at all: the notebook [no_clean_reference](no_clean_reference.ipynb).
