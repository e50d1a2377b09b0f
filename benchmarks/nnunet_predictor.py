"""Windows of one and of two tasks over nnU-Net's own predictor, with the same networks, windows and overlap.

Needs ``pip install nnunetv2`` in the environment, one of its own.
"""

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from paired_runs import arguments, paired_times, print_environment, print_ratio
from torch import Tensor, nn

from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.networks import UMC
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

OVERLAP = 0.5  # both sides' default


class Plans:
    """What nnU-Net's predictor asks of its configuration."""

    def __init__(self, patch_size: list[int]) -> None:
        self.patch_size = patch_size


class Labels:
    """What nnU-Net's predictor asks of its labels."""

    def __init__(self, heads: int) -> None:
        self.num_segmentation_heads = heads


class OneTask(nn.Module):
    """nnU-Net's network, as the package's networks are called."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, C, *window) to logits by task."""
        return {"segment": self.network(x)}


class Head(nn.Module):
    """The package's network of one task, as nnU-Net's networks are called."""

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self.network = network
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *window) to (B, C', *window)."""
        result: Tensor = self.network(x)[self.name]
        return result


def make_predictor(network: nn.Module, heads: int, patch: int) -> nnUNetPredictor:
    predictor = nnUNetPredictor(
        1 - OVERLAP, use_gaussian=True, use_mirroring=False, perform_everything_on_device=False,
        device=torch.device("cpu"), allow_tqdm=False,
    )  # fmt: skip
    predictor.network = network
    predictor.configuration_manager = Plans([patch] * 3)
    predictor.label_manager = Labels(heads)
    predictor.allowed_mirroring_axes = None
    return predictor


def plain_unet(features: tuple[int, ...], heads: int) -> PlainConvUNet:
    stages = len(features)
    return PlainConvUNet(
        1, stages, features, nn.Conv3d, 3, [1] + [2] * (stages - 1), 2, heads, 2, conv_bias=True,
        norm_op=nn.InstanceNorm3d, norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True}, deep_supervision=False,
    ).eval()  # fmt: skip


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    size, patch, features = (24, 16, (4, 8)) if args.quick else (160, 64, (8, 16, 32, 64))
    image = torch.rand(1, size, size, size)
    tasks = TaskList(
        [
            SegmentationTask("segment", ["a", "b", "c"]),
            RestorationTask("denoise", 1, data_range=(0, 1), mean=0.0, std=1.0),
        ]
    )
    network = plain_unet(features, 3)
    theirs = make_predictor(network, 3, patch)
    same = MultiTaskSlidingWindowInferer([patch] * 3, 4, OVERLAP, "gaussian", tasks=TaskList(tasks, "segment"))
    both = UMC(3, 1, tasks.out_channels, features=features).eval()
    two = MultiTaskSlidingWindowInferer([patch] * 3, 4, OVERLAP, "gaussian", tasks=tasks)
    predictors = {
        name: make_predictor(Head(UMC(3, 1, {name: count}, features=features).eval(), name), count, patch)
        for name, count in tasks.out_channels.items()
    }

    @torch.inference_mode()
    def one_task_here() -> None:
        same(image[None], OneTask(network))

    @torch.inference_mode()
    def two_tasks_here() -> None:
        two(image[None], both)

    def a_predictor_per_task() -> None:
        for predictor in predictors.values():
            predictor.predict_sliding_window_return_logits(image)

    runs = {
        "here": one_task_here,
        "nnU-Net": lambda: theirs.predict_sliding_window_return_logits(image),
        "two here": two_tasks_here,
        "two nnU-Net": a_predictor_per_task,
    }
    with torch.inference_mode():
        ours = same(image[None], OneTask(network))["segment"][0]
        difference = (ours - theirs.predict_sliding_window_return_logits(image)).abs().mean() / ours.abs().mean()
    # Not 0: it sums in half precision, and its weights go below MONAI's least of 0.001 in corners.
    print(f"mean difference of logits, relative: {difference:.3f}\n")
    times = paired_times(runs, args.pairs)
    print_ratio("nnU-Net's network: windows / nnU-Net's predictor", "time", times["here"], times["nnU-Net"], 0.9)
    name = "two tasks: windows of one UMC / nnU-Net's predictor on two one-task UMCs"
    print_ratio(name, "time", times["two here"], times["two nnU-Net"], 0.5)


if __name__ == "__main__":
    main()
