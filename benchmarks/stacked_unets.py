"""What SUNet-64 costs over the same layers written plainly, for one size and 2D only; what checkpointing saves."""

from functools import partial

import torch
from paired_runs import arguments, paired_times, print_environment, print_ratio
from peak_memory import peak_memory
from torch import Tensor, nn
from torch.nn.functional import interpolate
from training_step import Setting, build_step, train_twice

from monai_mtunet.networks import SUNet

N, MODULES = 64, (2, 4, 4, 1)
FULL = Setting("", (1, 3, 256, 256), (256, 512, 768, 1024), {"segment": 21})
QUICK = Setting("", (2, 3, 64, 64), (8, 16, 24, 32), {"segment": 21})


def pre_activated(channels: int, convolution: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True), convolution)


class PlainModule(nn.Module):
    """A U-Net module, strided, or with dilations from `dilation` on in the strides' place."""

    def __init__(self, before: int, after: int, levels: int, dilation: int, expands: bool) -> None:
        super().__init__()
        stride = 1 if dilation > 1 else 2

        def conv(level: int, stride: int = 1) -> nn.Module:
            d = dilation * 2**level if dilation > 1 else 1
            return pre_activated(N, nn.Conv2d(N, N, 3, stride, d, d))

        def deconv(level: int) -> nn.Module:
            d = dilation * 2**level if dilation > 1 else 1
            channels = N if level == levels else 2 * N
            layer = nn.ConvTranspose2d(channels, N, 3, stride, d, output_padding=stride - 1, dilation=d)
            return pre_activated(channels, layer)

        self.first = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(inplace=True))
        self.squeeze = nn.Conv2d(before, N, 1)
        self.down = nn.ModuleList(nn.Sequential(conv(k, stride), conv(k + 1)) for k in range(levels))
        self.up = nn.ModuleList(nn.Sequential(deconv(k + 1), conv(k)) for k in range(levels))
        self.expand = pre_activated(N, nn.Conv2d(N, after, 1))
        self.shortcut = nn.Conv2d(before, after, 1) if expands else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, before, H, W) to (B, after, H, W)."""
        activated = self.first(x)
        y = self.down[0](self.squeeze(activated))
        if len(self.down) == 2:
            y = torch.cat([self.up[1](self.down[1](y)), y], 1)
        y = self.expand(self.up[0](y))
        return y + (x if self.shortcut is None else self.shortcut(activated))


class PlainSUNet(nn.Module):
    """SUNet for sides of multiples of 64, as one would write it for a single use."""

    def __init__(self, setting: Setting, output_stride: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, 2, 3)
        self.first = nn.Sequential(nn.BatchNorm2d(64), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(64, 128, 3, 2, 1), pre_activated(128, nn.Conv2d(128, 128, 3, padding=1)))
        self.shortcut = nn.Conv2d(64, 128, 1, 2)
        dilations = {32: (1, 1, 1, 1), 8: (1, 1, 2, 4)}[output_stride]
        layers: list[nn.Module] = []
        before = 128
        for block, (after, count, dilation) in enumerate(zip(setting.features, MODULES, dilations, strict=True)):
            if block and dilation == 1:
                layers.append(nn.AvgPool2d(2))
            for m in range(count):
                levels = 1 if block == 3 else 2
                layers.append(PlainModule(after if m else before, after, levels, dilation, expands=m == 0))
            before = after
        classes = setting.out_channels["segment"]
        self.rest = nn.Sequential(*layers, pre_activated(before, nn.Conv2d(before, classes, 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Labels' logits at the size of the image."""
        activated = self.first(self.stem(x))
        y = self.rest(self.second(activated) + self.shortcut(activated))
        return interpolate(y, x.shape[2:], mode="bilinear")


def plain(setting: Setting, output_stride: int) -> list[nn.Module]:
    return [PlainSUNet(setting, output_stride)]


def sunet(setting: Setting, output_stride: int, use_checkpoint: bool = False) -> list[nn.Module]:
    return [
        SUNet(
            2,
            3,
            setting.out_channels,
            features=setting.features,
            module_features=N,
            modules=MODULES,
            output_stride=output_stride,
            use_checkpoint=use_checkpoint,
        )
    ]


def main() -> None:
    args = arguments(__doc__)
    print_environment()
    setting = QUICK if args.quick else FULL
    for output_stride in (32, 8):
        networks = {
            "plain": partial(plain, output_stride=output_stride),
            "sunet": partial(sunet, output_stride=output_stride),
            "again": partial(sunet, output_stride=output_stride, use_checkpoint=True),
        }
        check_same_size(networks["plain"](setting), networks["sunet"](setting))
        times = paired_times({name: build_step(build, setting) for name, build in networks.items()}, args.pairs)
        peaks = {
            name: [
                peak_memory(partial(train_twice, build, setting), partial(train_twice, build, QUICK))
                for _ in range(min(args.pairs, 3))
            ]
            for name, build in networks.items()
        }
        for title, one, other, target in (
            ("SUNet-64 / plain layers", "sunet", "plain", 1.05),
            ("checkpointed / plain SUNet-64", "again", "sunet", None),
        ):
            name = f"stride {output_stride}: {title}"
            print_ratio(name, "time", times[one], times[other], target)
            print_ratio(name, "memory", peaks[one], peaks[other], target)


def check_same_size(*networks: list[nn.Module]) -> None:
    sizes = {sum(p.numel() for network in group for p in network.parameters()) for group in networks}
    if len(sizes) > 1:
        raise ValueError(f"The networks differ: they have {sorted(sizes)} parameters.")


if __name__ == "__main__":
    main()
