"""What a dense two-task UMC costs in training, over two separate U-Nets."""

from functools import partial

from paired_runs import arguments, paired_times, print_environment, print_ratio
from peak_memory import peak_memory
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from training_step import FULL, QUICK, Setting, TrainingStep, build_step, train_twice

from monai_mtunet.networks import UMC

PAPER = {"upsample": "deconv", "bias": True}


def umc(setting: Setting, **kwargs) -> list[nn.Module]:
    return [UMC(setting.spatial_dims, setting.in_channels, setting.out_channels, features=setting.features, **kwargs)]


def separate(setting: Setting, **kwargs) -> list[nn.Module]:
    return [
        UMC(setting.spatial_dims, setting.in_channels, {task: channels}, features=setting.features, **kwargs)
        for task, channels in setting.out_channels.items()
    ]


NETWORKS = {
    "dense": umc,
    "dense with deconvolutions": partial(umc, **PAPER),
    "two U-Nets": partial(separate, **PAPER),
    "two one-task UMCs": separate,
}
COMPARISONS = (
    ("dense", "two U-Nets"),
    ("dense", "two one-task UMCs"),
    ("dense with deconvolutions", "two U-Nets"),
)


def flops(step: TrainingStep) -> int:
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    for setting, tiny in zip(QUICK if args.quick else FULL, QUICK, strict=True):
        steps = {name: build_step(build, setting) for name, build in NETWORKS.items()}
        times = paired_times(steps, args.pairs)
        flop = {name: flops(step) for name, step in steps.items()}
        del steps
        peaks = {}
        for name, build in NETWORKS.items():
            for together in (True, False) if name.startswith("two") else (False,):
                runs = [partial(train_twice, build, sizes, together) for sizes in (setting, tiny)]
                peaks[name, together] = [peak_memory(*runs) for _ in range(min(args.pairs, 3))]
        for a, b in COMPARISONS:
            name = f"{setting.name}: {a} / {b}"
            target_time, target_memory = (None, None) if a != "dense" else (1.00, 0.95)
            print_ratio(name, "time", times[a], times[b], target_time)
            print_ratio(name, "FLOPs", [flop[a]], [flop[b]])
            print_ratio(f"{name}, together", "memory", peaks[a, False], peaks[b, True], target_memory)
            print_ratio(f"{name}, one after another", "memory", peaks[a, False], peaks[b, False])


if __name__ == "__main__":
    main()
