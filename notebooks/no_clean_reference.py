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
# # No clean reference: denoise and segment a real noisy stack
#
# Electron microscopy has no clean image to learn from, and labels cost hours per section. Here a network learns to
# denoise from the noisy sections alone, by blind spots, and to segment from the few sections that have labels. It
# takes one to two minutes on two CPU cores.
#
# **Needs** nothing: without data it paints a noisy phantom, whose clean image is used for checking only. With data it
# takes two quadrants of a [stack of a fly's nerve cord](https://doi.org/10.6084/m9.figshare.856713) from
# `$MONAI_DATA_DIRECTORY/sstem_vnc`. **Your data:** change the cell "Data".

# %%
import os
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from monai.data import DataLoader, Dataset
from monai.transforms import (
    Compose,
    CopyItemsd,
    MapLabelValued,
    NormalizeIntensityd,
    RandFlipd,
    RandSpatialCropd,
    SelectItemsd,
)
from monai.utils import set_determinism
from torch.utils.data import WeightedRandomSampler

from monai_mtunet import data
from monai_mtunet.engines import MultiTaskEvaluator, MultiTaskPrepareBatch
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.networks import UMC
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList, draw_panel
from monai_mtunet.transforms import (
    AddGaussianNoised,
    FillMissingTargetsd,
    LoadSampled,
    MaskBlindSpotsd,
    ScaleVolumeRanged,
)

# %matplotlib inline

# %% [markdown]
# ## Settings
#
# `STRUCTURE` is the one to think about. Blind spots assume that the noise of a voxel says nothing about the noise of
# its neighbors. Where it does (resampled images, detectors that smear), the box of voxels that share noise must be
# hidden as a whole, or the network learns the noise as well. `WINDOW` must be larger: replacements come from it.

# %%
SMOKE = os.environ.get("MONAI_MTUNET_SMOKE") == "1"  # continuous integration takes the smallest sizes
FOLDER = Path(os.environ.get("MONAI_DATA_DIRECTORY", "data")) / "sstem_vnc"
REAL = FOLDER.is_dir()
STRUCTURE, WINDOW = (3, 7) if REAL else (1, 5)
LABELED_SECTIONS = 4
STEPS = 20 if SMOKE else 120
BATCH_SIZE = 4 if SMOKE else 6
PATCH_SIZE = 64 if SMOKE else 80
VALIDATION_SECTIONS = 2 if SMOKE else 3
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Data
#
# Two stacks, one to train on and one to validate. Sections are ten times as thick as pixels and hardly resemble their
# neighbors, so each is an image of its own, and the network is 2D. A volume with nearly cubic voxels is better left
# whole, with `spatial_dims=3`.
#
# **Your data:** one file with the stack and one with its labels, as in `{"image": "stack.nii.gz", "segment":
# "labels.nii.gz"}`; 255 is "nobody said". The two stacks must not overlap.

# %%
label_set = data.SSTEM if REAL else data.SYNTHETIC_CATEGORIES
if REAL:
    (train_stack,), (val_stack,) = (
        data.decathlon_datalist(FOLDER, section, fold=0, splits=data.SSTEM_FOLDS) for section in ("train", "val")
    )
    load = [
        LoadSampled(["image", "segment"], label_keys="segment"),
        MapLabelValued("segment", label_set.labels, label_set.class_of_label, dtype=torch.int16),
        ScaleVolumeRanged("image"),
    ]
else:
    (train_stack,), (val_stack,) = (data.synthetic_datalist(1, section) for section in ("train", "val"))
    load = [
        data.LoadSyntheticd(spatial_dims=3, spatial_size=(128, 128, 20)),
        MapLabelValued("segment", label_set.labels, label_set.class_of_label, dtype=torch.int16),
        ScaleVolumeRanged("image"),
        CopyItemsd("image", names="clean"),  # for checking only: no training sees it
        AddGaussianNoised("image", sigma=0.25, reproducible=True),  # one acquisition
    ]


def sections_of(stack: dict) -> list[dict]:
    """The sections of a stack as images (C, H, W), turned so that x runs right and y up."""
    volume = Compose(load)(stack)
    keys = [key for key in ("image", "segment", "clean") if key in volume]
    return [
        {key: torch.rot90(volume[key].as_tensor()[..., z], dims=(1, 2)) for key in keys}
        for z in range(volume["image"].shape[-1])
    ]


train_sections, val_sections = sections_of(train_stack), sections_of(val_stack)
val_sections = val_sections[:: max(1, len(val_sections) // VALIDATION_SECTIONS)][:VALIDATION_SECTIONS]
kind = "electron microscopy" if REAL else "phantom"
print(f"{kind}: {len(train_sections)} sections of {tuple(train_sections[0]['image'].shape)}")

# %% [markdown]
# ## Tasks
#
# `clean_target=False` says that there is nothing clean to compare with: the only metric of the denoising is then its
# error to *noisy* values. It ranks networks on the same data, and is no PSNR.

# %%
MEAN, STD = 0.5, 0.25
denoise = RestorationTask("denoise", channels=1, data_range=(0, 1), mean=MEAN, std=STD, clean_target=False)
segment = SegmentationTask("segment", classes=label_set.classes, palette=label_set.palette)
tasks = TaskList([denoise, segment])
denoise_only, segment_only = TaskList([denoise]), TaskList([segment])

# %% [markdown]
# ## Few labels
#
# `keep_labels` drops the labels of all sections but a few; `FillMissingTargetsd` makes them *missing*. All sections
# teach denoising, the labeled ones also segmentation. No other code needs to know ([missing
# targets](../docs/missing_targets.md)). By `labeled_weights` half of what is sampled is labeled.

# %%
train_list = data.keep_labels(train_sections, "segment", count=LABELED_SECTIONS)
weights = data.labeled_weights(train_list, "segment", share=0.5)
print("labeled sections:", [z for z, section in enumerate(train_list) if section["segment"] is not None])

# %% [markdown]
# ## Blind spots
#
# Some pixels are replaced by a neighbor, and what was there is the target. Everywhere else the target is missing. The
# network cannot predict noise that it does not see, so it predicts what is behind it.
#
# The order matters: crops and flips first, then blind spots. Whatever mixes pixels (rotation by some degrees,
# resampling, padding by the edge) would copy the hidden values to where the network can see them.

# %%
keys = ["image", "segment"]
blind = {"target_keys": "denoise", "fraction": 0.02, "window": WINDOW, "structure": STRUCTURE}
fill = FillMissingTargetsd(segment_only)
normalize = NormalizeIntensityd(["image", "denoise"], subtrahend=MEAN, divisor=STD)
select = SelectItemsd(tasks.keys)
train_set = Dataset(
    train_list,
    Compose(
        [
            fill,
            RandSpatialCropd(keys, [PATCH_SIZE, PATCH_SIZE], random_size=False),
            RandFlipd(keys, prob=0.5, spatial_axis=0),
            RandFlipd(keys, prob=0.5, spatial_axis=1),
            MaskBlindSpotsd("image", **blind),
            normalize,
            select,
        ]
    ),
)
hidden_val = [Compose([MaskBlindSpotsd("image", reproducible=True, **blind), normalize])(s) for s in val_sections]

figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
pictures = {
    "noisy": val_sections[0]["image"],
    "what the network sees": hidden_val[0]["image"] * STD + MEAN,
    "target: white is missing": hidden_val[0]["denoise"] * STD + MEAN,
}
for axis, (title, values) in zip(axes, pictures.items(), strict=True):
    axis.imshow(denoise.draw(values[:, :32, :32]), interpolation="nearest")
    axis.set_title(title, fontsize=9)
    axis.set(xticks=[], yticks=[])

# %% [markdown]
# ## Training
#
# Two networks, the same number of steps: one for both tasks, and one that segments only, for which every crop is of a
# labeled section.


# %%
def train(tasks: TaskList, weights: list[float], seed: int = 0) -> torch.nn.Module:
    """Train a network for these tasks on crops of sections that are sampled with these weights."""
    set_determinism(seed)
    network = UMC(2, 1, tasks.out_channels, features=(8, 16, 32, 64))
    network = network.to(DEVICE, memory_format=torch.channels_last)  # the same, faster
    loss_function = MultiTaskLoss(tasks.losses()).to(DEVICE)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    sampler = WeightedRandomSampler(weights, STEPS * BATCH_SIZE)
    prepare_batch = MultiTaskPrepareBatch(tasks)
    for batch in DataLoader(train_set, batch_size=BATCH_SIZE, sampler=sampler):
        image, targets = prepare_batch(batch, DEVICE)
        optimizer.zero_grad()
        loss_function(network(image), targets).backward()
        optimizer.step()
        scheduler.step()
    return network.eval()


joint = train(tasks, weights)
segmenter = train(segment_only, data.labeled_weights(train_list, "segment", share=1))


# %% [markdown]
# ## Look at it
#
# At inference nothing is hidden. *Where to look:* membranes should stay sharp while the grain goes. If the grain
# stays, noise is shared by neighbors: enlarge `STRUCTURE`. If thin lines go, too, hide less.


# %%
@torch.no_grad()
def predict(network: torch.nn.Module, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Raw predictions of one normalized image (C, H, W)."""
    return {name: values[0].cpu() for name, values in network(image[None].to(DEVICE)).items()}


untouched = [normalize({"image": s["image"], "denoise": s["image"], "segment": s["segment"]}) for s in val_sections]
window = (slice(None), slice(0, 160), slice(0, 160))
found = predict(joint, untouched[0]["image"])
shown = {"segment": segment.prepare_target(val_sections[0]["segment"][None])[0][window]}
if not REAL:
    shown["denoise"] = ((val_sections[0]["clean"] - MEAN) / STD)[window]
draw_panel(
    tasks,
    [untouched[0]["image"][window]],
    [{task.name: task.postprocess(found[task.name])[window] for task in tasks}],
    [shown],
    title=f"a section of the other stack, after {STEPS} steps",
)

# %% [markdown]
# ## How good is the denoising?
#
# Without a clean image, only the error at pixels that the network did not see can be measured. It contains the noise
# of the pixel itself, so it never reaches 0. Compare it with what needs no network:
#
# - the neighbor that replaced the hidden pixel,
# - the mean of the ring of pixels around those that are hidden.
#
# A network that is not better than the mean has learned to average. That can still be useful, and is not much.


# %%
def evaluate(network: torch.nn.Module, tasks: TaskList, samples: list[dict]) -> dict[str, float]:
    """The tasks' metrics over normalized samples."""
    evaluator = MultiTaskEvaluator(
        tasks=tasks,
        device=DEVICE,
        val_data_loader=DataLoader(samples, batch_size=1),
        network=network,
        key_val_metric={name: metric for task in tasks for name, metric in task.metrics(spatial_dims=2).items()},
    )
    evaluator.run()
    return evaluator.state.metrics


def ring_mean(image: torch.Tensor) -> torch.Tensor:
    """Mean of the pixels around the box of hidden ones, (C, H, W)."""
    size = STRUCTURE + 2
    kernel = torch.ones(1, 1, size, size)
    kernel[..., 1:-1, 1:-1] = 0
    padded = torch.nn.functional.pad(image[None], [size // 2] * 4, mode="replicate")
    return torch.nn.functional.conv2d(padded, kernel / kernel.sum())[0]


errors = {"a neighbor": 0.0, "mean of the ring": 0.0}
for section, sample in zip(val_sections, hidden_val, strict=True):
    spots = sample["denoise"].isfinite()
    guesses = {"a neighbor": sample["image"] * STD + MEAN, "mean of the ring": ring_mean(section["image"])}
    for name, guess in guesses.items():
        errors[name] += float((guess - section["image"])[spots].square().mean()) / len(val_sections)
errors["network"] = evaluate(joint, denoise_only, hidden_val)["denoise_noisy_mse"]
for name, error in errors.items():
    print(f"squared error at hidden pixels, {name:16}: {error:.4f}")
assert errors["network"] < errors["a neighbor"], "The network predicts hidden pixels better than a neighbor does."

# %% [markdown]
# The phantom has a clean image, so there the truth can be told: PSNR in dB, higher is better.

# %%
if not REAL:
    psnr = {"noisy": 0.0, "denoised": 0.0}
    for section, sample in zip(val_sections, untouched, strict=True):
        denoised = denoise.postprocess(predict(joint, sample["image"])["denoise"])
        for name, values in (("noisy", section["image"]), ("denoised", denoised)):
            psnr[name] += float(-10 * (values - section["clean"]).square().mean().log10()) / len(val_sections)
    print({name: f"{value:.1f} dB" for name, value in psnr.items()})
    assert psnr["denoised"] > psnr["noisy"] + 1, "The network did not remove noise."

# %% [markdown]
# ## How good is the segmentation?
#
# mIoU over the validation sections, untouched. Rare classes are not learned in so few steps, nor are the phantom's
# textures under its noise; take crops by class with MONAI's `RandCropByLabelClassesd`, as [the bundle's
# overlay](../bundles/umc/README.md) does.

# %%
columns = {"joint": evaluate(joint, tasks, untouched), "alone": evaluate(segmenter, segment_only, untouched)}
print(f"{'':36}" + "".join(f"{name:>8}" for name in columns))
for metric in segment.metrics(spatial_dims=2):
    print(f"{metric:36}" + "".join(f"{column[metric]:8.3f}" for column in columns.values()))

# %% [markdown]
# ## What the numbers say
#
# The network predicts pixels that it does not see better than a neighbor does: that was checked above. Whether joint
# denoising helps the segmentation **is not shown by one run**: compare the two columns with several seeds and more
# steps. In [the results](../docs/results/umc.md#few-labels), with three seeds, joint denoising did not help
# segmentation with few labels; at equal steps it cost.
#
# ## Where to look next
#
# - [Denoising without clean references](../docs/self_supervised.md): what `fraction`, `window`, `structure` and
#   `replacement` do, noisy pairs instead of blind spots, limits.
# - The 3D bundle of this stack, and its numbers: `python -m monai.bundle run --config_file
#   "['bundles/umc/train.json','bundles/umc/sstem.json']"`, [results](../docs/results/umc.md).
# - Is the noise shared between neighbors? Subtract a smoothed image, and look at the correlation of what remains with
#   itself, shifted by one pixel.
