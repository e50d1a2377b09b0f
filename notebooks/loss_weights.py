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
# # Weighting losses: every method on one small problem
#
# Several tasks, several losses, one sum: with which weights? Here the same small network learns the same scenes under
# each method of the package, and you see what the weights do. It takes about a minute on two CPU cores.
#
# **Needs** nothing: scenes are painted. The gradient-balancing methods need the extra `jd` (TorchJD), and are left out
# without it. **Your data:** change the cell "Data and tasks".

# %%
import importlib.util
import os

import torch
from ignite.engine import Events
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator
from monai.data import CacheDataset, DataLoader
from monai.transforms import Compose, NormalizeIntensityd, SelectItemsd
from monai.utils import set_determinism

from monai_mtunet import losses
from monai_mtunet.data import GEOMETRY, LoadSyntheticd, synthetic_datalist
from monai_mtunet.engines import (
    GradientBalancingTrainer,
    MultiTaskEvaluator,
    MultiTaskTrainer,
    NonNegativeProjector,
    TaskLossHandler,
    WeightingHandler,
    draw_loss_weights,
)
from monai_mtunet.networks import UMC
from monai_mtunet.pictures import distinct_colors, task_colors
from monai_mtunet.tasks import DepthTask, SegmentationTask, TaskList

# %matplotlib inline

# %% [markdown]
# ## Settings

# %%
SMOKE = os.environ.get("MONAI_MTUNET_SMOKE") == "1"  # continuous integration takes the smallest sizes
EPOCHS = 3 if SMOKE else 8
SAMPLES = 12 if SMOKE else 24
BATCH_SIZE = 4
SIZE = (32, 64)
LEARNING_RATE = 0.01
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Data and tasks
#
# Depth is in meters and not scaled, so that its loss starts some times as large as that of the classes. That is the
# situation in which people reach for a weighting method. Try the cure without one as well: `DepthTask(..., scale=10)`.

# %%
segment = SegmentationTask("segment", classes=GEOMETRY.classes, palette=GEOMETRY.palette)
tasks = TaskList([segment, DepthTask("depth", unit="m", draw_range=(2, 25))])
transforms = Compose(
    [
        LoadSyntheticd("geometry", spatial_size=SIZE),
        SelectItemsd(tasks.keys),
        NormalizeIntensityd("image", subtrahend=[134.0, 140.0, 158.0], divisor=[38.0, 39.0, 48.0], channel_wise=True),
    ]
)
train_set = CacheDataset(synthetic_datalist(SAMPLES, "train"), transforms, progress=False)
val_loader = DataLoader(CacheDataset(synthetic_datalist(8, "val"), transforms, progress=False), batch_size=BATCH_SIZE)

# %% [markdown]
# ## Methods
#
# A weighting is a module from `{task: loss}` to one number. All are at their defaults here, which suits none of them
# in particular. What each does, and when it fails: [weighting the losses](../docs/weighting.md).
#
# Gradient balancing leaves the losses alone, and changes the gradients of the parameters that tasks share. It costs
# one backward pass per task.

# %%
weightings = {
    "equal weights": losses.FixedWeighting,
    "fixed, depth x 0.1": lambda names: losses.FixedWeighting(names, weights={"depth": 0.1}),
    "by initial scale": lambda names: losses.FixedWeighting(names, normalize="initial"),
    "uncertainty": losses.UncertaintyWeighting,
    "UW-SO": losses.SoftOptimalUncertaintyWeighting,
    "dynamic average": losses.DynamicWeightAverage,
    "SoftAdapt": losses.SoftAdapt,
    "random": losses.RandomLossWeighting,
    "geometric mean": losses.GeometricMeanWeighting,
    "variance ratio": losses.VarianceRatioWeighting,
}
aggregators = {}
if importlib.util.find_spec("torchjd"):
    from torchjd.aggregation import AlignedMTL, PCGrad, UPGrad

    aggregators = {
        "PCGrad": PCGrad,
        "AlignedMTL": AlignedMTL,
        "UPGrad": lambda: UPGrad(projector=NonNegativeProjector()),
    }

# %% [markdown]
# ## One run
#
# MONAI's trainer, as `MultiTaskTrainer` with what several tasks need, and two handlers: `TaskLossHandler` logs raw
# losses and weights, and `WeightingHandler` tells the methods that change once per epoch when it is over. A third,
# `LossWeightPlot`, would write a table and a picture of both after every epoch. Weights that are learned must be given
# to the optimizer: `parameter_groups` does.
#
# *What can go wrong:* without `WeightingHandler`, "dynamic average", "SoftAdapt" and "variance ratio" never change
# their weights, and nothing says so.


# %%
def run(name: str, weighting=losses.FixedWeighting, aggregator=None, seed: int = 0) -> dict[str, float]:
    """Train, put a row per epoch of losses and weights into `tables`, and return the validation metrics."""
    set_determinism(seed)
    network = UMC(2, 3, tasks.out_channels, features=(8, 16, 32)).to(DEVICE)
    loss_function = losses.MultiTaskLoss(tasks.losses(), weighting(tasks.loss_names)).to(DEVICE)
    parameters = losses.parameter_groups(network, loss_function, weighting_learning_rate=LEARNING_RATE)
    trainer_class, balancing = MultiTaskTrainer, {}
    if aggregator is not None:
        trainer_class, balancing = GradientBalancingTrainer, {"aggregator": aggregator()}
    shared = {"tasks": tasks, "device": DEVICE, "network": network}
    trainer = trainer_class(
        max_epochs=EPOCHS,
        train_data_loader=DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True),
        optimizer=torch.optim.Adam(parameters, lr=LEARNING_RATE),
        loss_function=loss_function,
        train_handlers=[TaskLossHandler(loss_function), WeightingHandler(loss_function)],
        **shared,
        **balancing,
    )
    table = tables[name] = []
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: table.append(row_of(engine.state)))
    trainer.run()
    metrics = tasks.metrics(spatial_dims=2, key_metric="segment_miou")
    evaluator = MultiTaskEvaluator(val_data_loader=val_loader, key_val_metric=metrics, **shared)
    evaluator.run()
    return evaluator.state.metrics


def row_of(state) -> dict[str, float]:
    """The means over an epoch, as TaskLossHandler left them."""
    columns = [f"{what}_{task}" for what in ("weight", "loss") for task in tasks.names]
    return {"epoch": state.epoch} | {column: float(state.metrics[column]) for column in columns}


tables = {}
scores = {name: run(name, weighting) for name, weighting in weightings.items()}
scores |= {name: run(name, aggregator=aggregator) for name, aggregator in aggregators.items()}
SEED = "equal weights, seed 1"
scores[SEED] = run(SEED, seed=1)

# %% [markdown]
# ## What one method did
#
# The picture that `LossWeightPlot` writes, here for a method whose weights are learned.

# %%
display(draw_loss_weights(tasks.names, tables["uncertainty"]))

# %% [markdown]
# ## Weights of all methods
#
# Means over each epoch; the lines of equal weights lie on each other. *Where to look:* a line that does not move is a
# method that does nothing here, in so few epochs or at its defaults. A weight near 0 is a task that is no longer
# trained.

# %%
figure, axes = plt.subplots(2, 5, figsize=(11, 4.6), sharex=True, layout="constrained")
figure.supxlabel("epoch", fontsize=9)
figure.supylabel("weight", fontsize=9)
epochs = range(1, EPOCHS + 1)
for axis, name in zip(axes.flat, weightings, strict=True):
    for style, (task, color) in zip(("-", "--"), task_colors(tasks.names).items(), strict=True):
        values = [row[f"weight_{task}"] for row in tables[name]]
        axis.plot(epochs, values, style, color=color, marker="o", markersize=3, label=task)
    axis.set_title(name, fontsize=9)
    axis.set_ylim(0, 1.15 * axis.dataLim.y1)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if name == "equal weights":
        axis.legend(frameon=False, fontsize=8)
for axis in axes.flat:
    axis.grid(alpha=0.3)

# %% [markdown]
# ## Raw losses
#
# Unweighted, so that methods can be compared. Dashed is the first method again with another seed: **a distance that is
# not larger than that to the dashed line is chance.**

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
colors = dict(zip(scores, distinct_colors(len(scores) + 1), strict=False))
for axis, task in zip(axes, tasks.names, strict=True):
    for name, table in tables.items():
        color = "black" if name == SEED else [value / 255 for value in colors[name]]
        style = {"color": color, "linestyle": "--" if name == SEED else "-", "linewidth": 1.3}
        axis.plot(epochs, [row[f"loss_{task}"] for row in table], label=name, **style)
    axis.set(title=f"{task}: raw loss", xlabel="epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
for axis in axes:
    axis.grid(alpha=0.3)

# %% [markdown]
# ## Scores
#
# mIoU is better the higher, the error of depth the lower, over eight validation scenes.

# %%
print(f"{'':24}{'mIoU':>8}{'depth error [m]':>18}")
for name, metrics in scores.items():
    print(f"{name:24}{metrics['segment_miou']:8.3f}{metrics['depth_abs']:18.2f}")

# %% [markdown]
# ## What the numbers say
#
# Checked below is what the methods promise whatever the data: weights that sum to a constant, and learned weights that
# move. **Which method is best is not answered here.** One problem, one seed, one learning rate, no tuning: rows that
# differ by less than the two seeds of "equal weights" are the same. On a real task with three seeds, [no method was
# distinguishable](../docs/results/umc.md#weighting-methods) from a fixed weighting that was found by three tries. So
# begin with a few fixed weightings, and with losses of similar size.

# %%
sums = {"UW-SO": 1, "dynamic average": len(tasks), "SoftAdapt": 1, "random": 1}
for name, expected in sums.items():
    for row in tables[name]:
        assert abs(sum(row[f"weight_{task}"] for task in tasks.names) - expected) < 1e-3, name
learned = [row["weight_depth"] for row in tables["uncertainty"]]
assert learned[-1] < learned[0], "The larger loss, that of depth, has less weight in the last epoch than in the first."
spread = {what: abs(scores[SEED][what] - scores["equal weights"][what]) for what in ("segment_miou", "depth_abs")}
print(f"between two seeds: {spread['segment_miou']:.3f} of mIoU, {spread['depth_abs']:.2f} m")

# %% [markdown]
# ## Where to look next
#
# - [Weighting the losses](../docs/weighting.md): the formulas, their limits, and a method of your own.
# - The same in a bundle, by one override: `--loss_def#weighting#_target_ DynamicWeightAverage`, or the overlay
#   `bundles/umc/gradient_balancing.json` with `--aggregator "{'_target_': 'torchjd.aggregation.PCGrad'}"`.
# - A table over seeds, methods and single-task networks, resumable: `python -m monai_mtunet reproduce
#   bundles/umc/experiments/weighting.json`.
