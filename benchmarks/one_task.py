"""What a one-task UMC costs in training, over MONAI's BasicUNet of the same features, norm and activation."""

from functools import partial

from monai.networks.nets import BasicUNet
from paired_runs import arguments, paired_times, print_environment, print_ratio
from peak_memory import peak_memory
from torch import nn
from training_step import FULL, QUICK, Setting, build_step, train_twice

from monai_mtunet.networks import UMC


def umc(setting: Setting, **kwargs) -> list[nn.Module]:
    task = {"segment": setting.out_channels["segment"]}
    return [UMC(setting.spatial_dims, setting.in_channels, task, features=setting.features, **kwargs)]


def basic_unet(setting: Setting, **kwargs) -> list[nn.Module]:
    return [
        BasicUNet(
            setting.spatial_dims,
            setting.in_channels,
            setting.out_channels["segment"],
            features=(*setting.features, setting.features[0]),
            act=("RELU", {"inplace": True}),
            norm="BATCH",
            **kwargs,
        )
    ]


UPSAMPLINGS = {
    "deconvolution": {"upsample": "deconv", "bias": True},
    "interpolation": {"upsample": "nontrainable", "bias": False},  # BasicUNet puts a 1x1 convolution before it
}


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    for setting, tiny in zip(QUICK if args.quick else FULL, QUICK, strict=True):
        for upsampling, kwargs in UPSAMPLINGS.items():
            networks = {"UMC": partial(umc, **kwargs), "BasicUNet": partial(basic_unet, **kwargs)}
            times = paired_times({name: build_step(build, setting) for name, build in networks.items()}, args.pairs)
            peaks = {
                name: [
                    peak_memory(partial(train_twice, build, setting), partial(train_twice, build, tiny))
                    for _ in range(min(args.pairs, 3))
                ]
                for name, build in networks.items()
            }
            name = f"{setting.name}: UMC / BasicUNet, {upsampling}"
            print_ratio(name, "time", times["UMC"], times["BasicUNet"])
            print_ratio(name, "memory", peaks["UMC"], peaks["BasicUNet"], target=1.00)


if __name__ == "__main__":
    main()
