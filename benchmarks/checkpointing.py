"""What recomputing the encoder's activations saves and costs a two-task MTUNet in training."""

from functools import partial

from paired_runs import arguments, paired_times, print_environment, print_ratio
from peak_memory import peak_memory
from torch import nn
from training_step import FULL, QUICK, Setting, build_step, train_twice

from monai_mtunet.networks import MTUNet


def mtunet(setting: Setting, **kwargs) -> list[nn.Module]:
    features = setting.features[:-1]  # the bottleneck doubles the last
    return [MTUNet(setting.spatial_dims, setting.in_channels, setting.out_channels, features, **kwargs)]


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    for setting, tiny in zip(QUICK if args.quick else FULL, QUICK, strict=True):
        for dense in ("within", "across"):
            networks = {
                name: partial(mtunet, dense=dense, use_checkpoint=name == "again") for name in ("kept", "again")
            }
            times = paired_times({name: build_step(build, setting) for name, build in networks.items()}, args.pairs)
            peaks = {
                name: [
                    peak_memory(partial(train_twice, build, setting), partial(train_twice, build, tiny))
                    for _ in range(min(args.pairs, 3))
                ]
                for name, build in networks.items()
            }
            name = f"{setting.name}: checkpointed / plain MTUNet, dense {dense} blocks"
            print_ratio(name, "time", times["again"], times["kept"])
            print_ratio(name, "memory", peaks["again"], peaks["kept"])


if __name__ == "__main__":
    main()
