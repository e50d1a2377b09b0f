"""What channels_last weights save a dense two-task UMC, in training and in inference."""

import copy

import torch
from paired_runs import arguments, paired_times, print_environment, print_ratio
from torch import Tensor, nn
from training_step import FULL, QUICK, TrainingStep

from monai_mtunet.networks import UMC


@torch.inference_mode()
def predict(network: nn.Module, image: Tensor) -> None:
    network.eval()(image)
    network.train()


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    for setting in QUICK if args.quick else FULL:
        image = torch.rand(setting.image)
        network = UMC(setting.spatial_dims, setting.in_channels, setting.out_channels, features=setting.features)
        memory_format = torch.channels_last if setting.spatial_dims == 2 else torch.channels_last_3d
        last = copy.deepcopy(network).to(memory_format=memory_format)
        runs = {
            "contiguous, training step": TrainingStep([network], image),
            "channels_last, training step": TrainingStep([last], image),
            "contiguous, inference": lambda network=network, image=image: predict(network, image),
            "channels_last, inference": lambda network=last, image=image: predict(network, image),
        }
        times = paired_times(runs, args.pairs)
        for what in ("training step", "inference"):
            name = f"{setting.name}: channels_last / contiguous, {what}"
            print_ratio(name, "time", times[f"channels_last, {what}"], times[f"contiguous, {what}"])


if __name__ == "__main__":
    main()
