"""The authors' SUNet classifier in plain functions of a state dict with their names, to compare with."""

import torch
import torch.nn.functional as F


def shapes(features, modules, n, stem=(64, 128), classes=1000):
    """Names and shapes of the tensors, in the order of registration; without ``num_batches_tracked``."""
    entries = [*convolution("features.conv1", 3, stem[0], 7)]
    entries += norm("features.residual1.bn.0", stem[0])
    entries += convolution("features.residual1.conv.0", *stem, 3) + norm("features.residual1.conv.2", stem[1])
    entries += convolution("features.residual1.conv.4", stem[1], stem[1], 3)
    entries += convolution("features.residual1.shortcut.0", *stem, 1)
    before = stem[1]
    for block, (width, count) in enumerate(zip(features, modules, strict=True)):
        for m in range(count):
            name, levels = f"features.unet{block + 1}_{m}", 1 if block == 3 else 2
            entries += module(name, width if m else before, width, n, levels, first=m == 0)
        before = width
    return [*entries, *norm("features.bn2", before), ("linear.weight", [classes, before]), ("linear.bias", [classes])]


def module(name, before, after, n, levels, first):
    entries = [] if first else norm(f"{name}.down.0.bn0", before)
    entries += convolution(f"{name}.down.0.conv0", before, n, 1)
    for level in range(levels):
        for i in (1, 2):
            entries += norm(f"{name}.down.{level}.bn{i}", n) + convolution(f"{name}.down.{level}.conv{i}", n, n, 3)
    for level in range(levels):
        width = n if level == levels - 1 else 2 * n
        entries += norm(f"{name}.up.{level}.bn0", width)
        entries += [(f"{name}.up.{level}.deconv0.weight", [width, n, 3, 3]), (f"{name}.up.{level}.deconv0.bias", [n])]
        entries += norm(f"{name}.up.{level}.bn1", n) + convolution(f"{name}.up.{level}.deconv1", n, n, 3)
        if level == 0:
            entries += norm(f"{name}.up.0.bn2", n) + convolution(f"{name}.up.0.conv2", n, after, 1)
    if first:
        entries += norm(f"{name}.bn.bn0", before) + convolution(f"{name}.upsample.conv0", before, after, 1)
    return entries


def convolution(name, before, after, kernel):
    return [(f"{name}.weight", [after, before, kernel, kernel]), (f"{name}.bias", [after])]


def norm(name, channels):
    return [(f"{name}.{tensor}", [channels]) for tensor in ("weight", "bias", "running_mean", "running_var")]


def random_state(*args, **kwargs):
    """Random tensors, those of normalization above 0, so that no variance is negative and no ReLU kills a channel."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes(*args, **kwargs):
        values = torch.randn(shape, generator=generator)
        state[name] = values.abs() + 0.5 if "bn" in name or "residual1.conv.2" in name else 0.3 * values
    return state


def features(state, x):
    """The last features of the classifier, by the paper's text and figures."""

    def conv(y, name, **kwargs):
        return F.conv2d(y, state[f"{name}.weight"], state[f"{name}.bias"], **kwargs)

    def pre(y, name):
        statistics = (state[f"{name}.{tensor}"] for tensor in ("running_mean", "running_var", "weight", "bias"))
        return F.relu(F.batch_norm(y, *statistics))

    def encode(y, name):
        y = conv(pre(y, f"{name}.bn1"), f"{name}.conv1", stride=2, padding=1)
        return conv(pre(y, f"{name}.bn2"), f"{name}.conv2", padding=1)

    def decode(y, name):
        weight, bias = state[f"{name}.deconv0.weight"], state[f"{name}.deconv0.bias"]
        y = F.conv_transpose2d(pre(y, f"{name}.bn0"), weight, bias, stride=2, padding=1, output_padding=1)
        return conv(pre(y, f"{name}.bn1"), f"{name}.deconv1", padding=1)

    def unet(x, name):
        if f"{name}.bn.bn0.weight" in state:
            a = pre(x, f"{name}.bn.bn0")
            residual = conv(a, f"{name}.upsample.conv0")
        else:
            a, residual = pre(x, f"{name}.down.0.bn0"), x
        e1 = encode(conv(a, f"{name}.down.0.conv0"), f"{name}.down.0")
        if f"{name}.down.1.conv1.weight" in state:
            d2 = decode(encode(e1, f"{name}.down.1"), f"{name}.up.1")
            e1 = torch.cat([d2, e1], 1)
        d1 = decode(e1, f"{name}.up.0")
        return conv(pre(d1, f"{name}.up.0.bn2"), f"{name}.up.0.conv2") + residual

    a = pre(conv(x, "features.conv1", stride=2, padding=3), "features.residual1.bn.0")
    y = conv(a, "features.residual1.conv.0", stride=2, padding=1)
    y = conv(pre(y, "features.residual1.conv.2"), "features.residual1.conv.4", padding=1)
    x = y + conv(a, "features.residual1.shortcut.0", stride=2)
    modules = dict.fromkeys(name.split(".")[1] for name in state if name.startswith("features.unet"))
    for name in modules:
        if name.endswith("_0") and name != "unet1_0":
            x = F.avg_pool2d(x, 2)
        x = unet(x, f"features.{name}")
    return pre(x, "features.bn2")
