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
# # Your own task: the orientation of lines, in a bundle
#
# Fibers, stripes, vessels, membranes: in which direction do they run? No task of the package predicts that. Here a new
# kind of task is written in thirty lines, its target is made of the image, and the bundle `bundles/umc` learns it
# beside denoising and segmentation. It takes about a minute on two CPU cores.
#
# **Needs** a clone of the repository, since a bundle is a folder in it; no data. **Your data:** any overlay of the
# bundle that brings 2D color images, such as `camvid.json`, goes into `CONFIG_FILES`.

# %%
import csv
import io
import json
import logging
import math
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import monai.bundle
import torch
from IPython.display import Image
from matplotlib import pyplot as plt
from monai.transforms import MapTransform
from skimage.color import rgb2gray
from skimage.feature import structure_tensor

import monai_mtunet
from monai_mtunet.data import LoadSyntheticd
from monai_mtunet.losses import MissingAwareCosineLoss
from monai_mtunet.metrics import MissingAwareAngularErrorMetric
from monai_mtunet.pictures import ColorBar
from monai_mtunet.tasks import DirectionAveraging, RegressionTask

# %matplotlib inline

# %% [markdown]
# ## Settings

# %%
SMOKE = os.environ.get("MONAI_MTUNET_SMOKE") == "1"  # continuous integration takes the smallest sizes
BUNDLE = Path(monai_mtunet.__file__).parents[1] / "bundles" / "umc"
CONFIG_FILES = [str(BUNDLE / "train.json")]  # further overlays after it
EPOCHS, TRAINING_IMAGES = (3, 32) if SMOKE else (6, 64)  # the first of the data list; None takes all
VALIDATION_IMAGES = 8
FEATURES = [8, 16] if SMOKE else [8, 16, 32]
OUTPUT_DIR = Path("outputs") / "your_own_task"
assert BUNDLE.is_dir(), f"{BUNDLE} is not there: install the package from a clone, pip install -e ."

# %% [markdown]
# ## 1. Is there a kind that does it?
#
# Look at the table of kinds in [tasks](../docs/tasks.md) first. Most new tasks are a `QuantityTask` with another unit,
# or a `SegmentationTask` with other classes, and need no code. An angle is different in three ways:
#
# - 179 degrees and 1 degree are neighbors, so an angle cannot be regressed as a number. The pair (sin 2a, cos 2a)
#   can: it is the same for a and for a + 180.
# - A flip of the image mirrors the angle.
# - Errors are in degrees, modulo 180.
#
# ## 2. The task
#
# It says what the network's channels mean (`channels`), how they are learned (`default_loss`) and measured (`metrics`),
# what is saved (`postprocess`) and how that is drawn (`draw`, `color_bar`). `RegressionTask` already checks targets,
# and knows that NaN is missing.


# %%
class OrientationError(MissingAwareAngularErrorMetric):
    """The angle between lines: half of that between the pairs."""

    def _compute_metric(self, y_pred: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return super()._compute_metric(y_pred, y) / 2


class OrientationTask(RegressionTask):
    """The angle of lines to the horizontal, counter-clockwise, modulo 180 degrees, learned as (sin 2a, cos 2a)."""

    averaging = DirectionAveraging()  # of scaled and flipped copies: unit vectors
    errors = ("angle",)  # less is better

    def __init__(self, name: str, loss: torch.nn.Module | None = None) -> None:
        super().__init__(name, 2, loss)

    def default_loss(self) -> torch.nn.Module:
        return MissingAwareCosineLoss()

    def metrics(self, spatial_dims: int) -> dict:
        return {f"{self.name}_angle": self._measure(OrientationError())}

    def undo_flip(self, prediction: torch.Tensor, spatial_axis: int) -> torch.Tensor:
        return prediction * torch.tensor([-1.0, 1.0]).to(prediction).view(1, 2, 1, 1)  # -a, along either axis

    def postprocess(self, prediction: torch.Tensor) -> torch.Tensor:
        return (torch.atan2(prediction[:1], prediction[1:]).rad2deg() / 2) % 180

    def values_of_target(self, target: torch.Tensor) -> torch.Tensor:
        return self.postprocess(target)

    def draw(self, values: torch.Tensor):
        return self.color_bar().draw(values[0])

    def color_bar(self) -> ColorBar:
        return ColorBar(0, 180, f"{self.name} [degrees]", "hsv")  # a cycle: 0 and 180 have one color


# %% [markdown]
# ## 3. Its target
#
# A dict transform that adds a key, named as the task. The structure tensor, scikit-image's, tells how intensities
# change around each pixel. Lines run across the direction of strongest change. Where nothing changes, or all
# directions change alike, there is no orientation: the target is NaN there, and counts nowhere.


# %%
class LineOrientationd(MapTransform):
    """Add (sin 2a, cos 2a) of an image's lines, (2, H, W), NaN where there is no direction."""

    def __init__(self, keys: str, name: str, sigma: float = 2.0, least_coherence: float = 0.5) -> None:
        super().__init__(keys)
        self.name, self.sigma, self.least_coherence = name, sigma, least_coherence

    def __call__(self, data: dict) -> dict:
        sample = dict(data)
        image = sample[self.keys[0]]
        gray = rgb2gray(image.cpu().numpy() / 255, channel_axis=0)
        rows, mixed, columns = structure_tensor(gray, sigma=self.sigma, mode="nearest", order="rc")
        pair = torch.stack([torch.as_tensor(2 * mixed), torch.as_tensor(rows - columns)]).float()
        strength = torch.as_tensor(rows + columns).float()
        length = pair.norm(dim=0)
        clear = (length > self.least_coherence * strength) & (strength > 1e-3)
        sample[self.name] = torch.where(clear, pair / length.clamp_min(1e-12), torch.nan)
        return sample


# %% [markdown]
# ## 4. Test it before you train
#
# On an image of which you know the answer. Signs and axes are where a target most often goes wrong, and training does
# not complain: it learns what it is shown. Rows count downwards and angles upwards, hence the sign that is not there
# in `2 * mixed`.

# %%
task = OrientationTask("orientation")
y, x = torch.meshgrid(-torch.arange(64.0), torch.arange(64.0), indexing="ij")  # y up
for angle in (0, 30, 90, 150):
    a = math.radians(angle)
    stripes = 127 + 100 * torch.sin((x * math.sin(a) - y * math.cos(a)) * 0.8).expand(3, -1, -1)
    target = LineOrientationd("image", "orientation")({"image": stripes})["orientation"]
    found = task.postprocess(target)[0, 32, 32].item()
    print(f"stripes at {angle} degrees are found at {found:.1f}")
    assert abs((found - angle + 90) % 180 - 90) < 2

flipped = LineOrientationd("image", "orientation")({"image": stripes.flip(2)})["orientation"].flip(2)
torch.testing.assert_close(task.undo_flip(flipped[None], 1)[0, :, 32, 32], target[:, 32, 32], atol=0.05, rtol=0)

# %%
sample = LineOrientationd("image", "orientation")(LoadSyntheticd(spatial_dims=2)({"seed": 1}))
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
axes[0].imshow(sample["image"].permute(1, 2, 0).clamp(0, 255) / 255)
axes[1].imshow(task.draw(task.values_of_target(sample["orientation"])))
bar = task.color_bar()
figure.colorbar(bar.mappable(), ax=axes[1], label=bar.label)
for axis, title in zip(axes, ("a scene", "its target: white has no direction"), strict=True):
    axis.set_title(title, fontsize=9)
    axis.set(xticks=[], yticks=[])

# %% [markdown]
# ## 5. Into the bundle
#
# An overlay is a JSON file that changes a bundle's configuration; `+` before a name adds to a list. It adds the task,
# and the transform that makes the target, to two slots:
#
# - `targets`, for training and validation: the image is still clean there, noise comes later,
# - `augment`, **after** the flips and for training only: a flip mirrors the image and not the angles, so the target is
#   made again, of the flipped image.
#
# Channels, loss, metrics, panels and files follow from the task.
#
# `__main__` is this notebook. In a project of your own, put both classes into a file `my_lines.py`, add `"+imports":
# ["$import my_lines"]` to the overlay, and write `"_target_": "my_lines.OrientationTask"`.

# %%
make = {"_target_": "__main__.LineOrientationd", "keys": "image", "name": "orientation"}
overlay = {
    "+tasks": [{"_target_": "__main__.OrientationTask", "name": "orientation"}],
    "+targets": [make],
    "+augment": [make],
}
OUTPUT_DIR.mkdir(parents=True, exist_ok=True)
overlay_file = OUTPUT_DIR / "orientation.json"
overlay_file.write_text(json.dumps(overlay, indent=4))
print(overlay_file.read_text())

# %% [markdown]
# ## 6. Run it
#
# As on the command line, with overrides as arguments. What the bundle prints goes into `log.txt`. *What can go wrong:*
#
# - "Task 'orientation' has no target in any training sample": the target is not made, or under another name.
# - "No task has the key metric": `key_metric_name` is of a task that is not there.
# - An override from Python that is mistyped is silently accepted; on the command line it is an error.

# %%
for name in ("scripts", "workflows"):
    logging.getLogger(f"monai.bundle.{name}").setLevel("ERROR")
log = io.StringIO()
try:
    with redirect_stdout(log), redirect_stderr(log):
        monai.bundle.run(
            config_file=[*CONFIG_FILES, str(overlay_file)],
            batch_size=4,
            output_dir=str(OUTPUT_DIR),
            features=FEATURES,
            max_epochs=EPOCHS,
            **{  # whatever data the overlays bring
                "train#dataset#data": f"$@train_data[:{TRAINING_IMAGES}]",
                "validate#dataset#data": f"$@val_data[:{VALIDATION_IMAGES}]",
            },
        )
finally:
    (OUTPUT_DIR / "log.txt").write_text(log.getvalue().replace("\r", "\n"))
Image(filename=OUTPUT_DIR / "panels" / f"epoch_{EPOCHS:04d}.png")

# %% [markdown]
# ## 7. What the numbers say
#
# `orientation_angle` is the mean error in degrees. An answer that knows nothing is 45 degrees off on average: the
# check below is that training does better than that. How well it does, and what the third task costs or brings the
# other two, this short run does not tell: compare with `only="denoise segment"` over several seeds.

# %%
with (OUTPUT_DIR / "validation" / "metrics.csv").open() as file:
    metrics = {name: float(value) for name, value in csv.reader(file)}
for name in ("orientation_angle", "denoise_psnr", "denoise_psnr_input", "segment_miou"):
    print(f"{name:20} {metrics[name]:.2f}")
assert metrics["orientation_angle"] < 45, "The orientation is not learned."

# %% [markdown]
# ## Where to look next
#
# - [Another kind of task](../docs/tasks.md#another-kind-of-task): what else a task can say, and how tasks for whole
#   images differ.
# - The kinds that are there are the examples: `color.py`, `edges.py` and `normals.py` in `monai_mtunet/tasks/kinds/`. A
#   kind that others need as well goes there, with a line in `__init__.py` and a test ([how](../CONTRIBUTING.md)).
# - Weights between three losses: the notebook [loss_weights](loss_weights.ipynb).
# - Orientations in 3D are directions with three components, and flips along each axis differ: start from
#   `NormalsTask`.
