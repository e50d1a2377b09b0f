"""Names of the weights in the SUNet checkpoints that the authors published."""

import re
from collections.abc import Mapping

from torch import Tensor

# Inside a U-Net module: "down" are the encoders, finest first, "up" the decoders, finest first too.
_OF_MODULE = {
    r"(?:down\.0|bn)\.bn0": "activation.norm",
    r"down\.0\.conv0": "squeeze",
    r"upsample\.conv0": "shortcut",
    r"up\.0\.bn2": "expand.0.norm",
    r"up\.0\.conv2": "expand.1",
}
_OF_ENCODER = {"bn1": "0.norm", "conv1": "1", "bn2": "2.norm", "conv2": "3"}
_OF_DECODER = {"bn0": "activation.norm", "deconv0": "deconv", "bn1": "convolve.0.norm", "deconv1": "convolve.1"}
_OF_TRUNK = {
    "conv1": "stem",
    "residual1.bn.0": "residual.activation.norm",
    "residual1.conv.0": "residual.convolve.0",
    "residual1.conv.2": "residual.convolve.1.norm",
    "residual1.conv.4": "residual.convolve.2",
    "residual1.shortcut.0": "residual.shortcut",
    "bn2": "activation.norm",
}


def from_authors_names(state: Mapping[str, Tensor], classifier: str) -> dict[str, Tensor]:
    """A state dict with the names of `SUNet`, from one with the names of the authors' implementation.

    Args:
        state: tensors by name; those in unknown names, and `SUNet`'s own, keep them. All names may begin with
            ``"module."``, as ``DataParallel`` has it.
        classifier: the vector task that the authors' linear layer becomes the head of.

    Returns:
        The same tensors, in the same order.

    Example:
        >>> list(from_authors_names({"module.features.unet3_0.down.0.conv0.bias": torch.zeros(64)}, "classify"))
        ['trunk.blocks.2.0.squeeze.bias']

    """
    names = [name.removeprefix("module.") for name in state]
    # Block 4's modules have one decoder, the others' two, and `SUNet` counts them from the deepest.
    decoders: dict[str, int] = {}
    for name in names:
        if found := re.match(r"features\.(unet\d+_\d+)\.up\.(\d+)\.", name):
            decoders[found[1]] = max(decoders.get(found[1], 0), int(found[2]) + 1)
    return {_translate(name, decoders, classifier): tensor for name, tensor in zip(names, state.values(), strict=True)}


def _translate(name: str, decoders: Mapping[str, int], classifier: str) -> str:
    layer, _, tensor = name.rpartition(".")
    if layer == "linear":
        return f"heads.vectors.{classifier}.linear.{tensor}"
    part = layer.removeprefix("features.")
    if part == layer:
        return name
    if part in _OF_TRUNK:
        return f"trunk.{_OF_TRUNK[part]}.{tensor}"
    if found := re.fullmatch(r"(unet(\d+)_(\d+))\.(.*)", part):
        module, block, number, inside = found.groups()
        ours = _inside_module(inside, decoders.get(module, 0))
        if ours is not None:
            return f"trunk.blocks.{int(block) - 1}.{number}.{ours}.{tensor}"
    return name


def _inside_module(layer: str, decoders: int) -> str | None:
    for pattern, ours in _OF_MODULE.items():
        if re.fullmatch(pattern, layer):
            return ours
    direction, level, kind = layer.split(".") if layer.count(".") == 2 else ("", "", "")
    if direction == "down" and kind in _OF_ENCODER:
        return f"encoders.{level}.{_OF_ENCODER[kind]}"
    if direction == "up" and kind in _OF_DECODER:
        return f"decoders.{decoders - 1 - int(level)}.{_OF_DECODER[kind]}"
    return None
