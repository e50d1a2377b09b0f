import pytest
import torch
import torch.nn.functional as F
from torch import nn

from monai_mtunet.networks import MTAN, UMC, CrossStitchSegNet, DenseSegNet, MultiTaskHourglass, SegNet
from monai_mtunet.networks.segnet.layout import VGG16_CONVOLUTIONS, VGG16_FEATURES
from monai_mtunet.pretrained.vgg16_weights import copy_vgg16


def plain_vgg16(norm):
    """VGG-16's features in the layout of torchvision, with trained-looking statistics."""
    torch.manual_seed(0)
    layers, channels = [], 3
    for width, number in zip(VGG16_FEATURES, VGG16_CONVOLUTIONS, strict=True):
        for _ in range(number):
            layers += [nn.Conv2d(channels, width, 3, padding=1), *([nn.BatchNorm2d(width)] if norm else []), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    features = nn.Sequential(*layers)
    for module in features:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    return features.eval()


def state_of(vgg):
    """As torchvision and timm save it, with a classifier that nothing here takes."""
    state = {f"features.{name}": tensor for name, tensor in vgg.state_dict().items()}
    return {**state, "classifier.0.weight": torch.zeros(2, 2), "pre_logits.fc1.weight": torch.zeros(2, 2, 7, 7)}


@pytest.fixture(scope="module", params=[True, False], ids=["VGG-16-BN", "VGG-16"])
def vgg(request):
    return plain_vgg16(request.param)


def encode(network, x):
    with torch.no_grad():
        for level in network.eval().encoder:
            x = level([x]).pooled
    return x


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("build", [SegNet, MTAN, MultiTaskHourglass], ids=["SegNet", "MTAN", "MultiTaskHourglass"])
def test_the_encoder_equals_vgg_16(vgg, build):
    network, x = build(2, 3, {"segment": 1}), torch.rand(2, 3, 64, 96)
    network.train()(torch.rand(2, 3, 32, 32))  # running statistics of another past
    copied = copy_vgg16(network, state_of(vgg))
    with torch.no_grad():
        expected = vgg(x)
    close(encode(network, x), expected)
    assert expected.std() > 1e-3
    norms = copied.loaded[1::2] if len(copied.loaded) == 26 else list(copied.adapted)
    assert len(norms) == 13
    assert copied.kept == {}
    convolutions = [name for name in copied.loaded if name.endswith(".conv")]
    assert len(convolutions) == 13
    assert convolutions[0] == "encoder.0.level.convolutions.0.conv"


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_an_image_of_equal_channels_is_gray_to_the_averaged_first_convolution(vgg, channels):
    network, gray = SegNet(2, channels, {"segment": 1}), torch.rand(2, 1, 32, 48)
    copied = copy_vgg16(network, state_of(vgg))
    with torch.no_grad():
        close(encode(network, gray.expand(-1, channels, -1, -1)), vgg(gray.expand(-1, 3, -1, -1)))
    first = "encoder.0.level.convolutions.0.conv"
    assert copied.adapted[first] == f"the mean over RGB for each of {channels} channels"
    assert first not in copied.loaded


def test_skips_the_first_convolution(vgg):
    network = SegNet(2, 1, {"segment": 1})
    first = network.encoder[0].level.convolutions[0].conv
    before = first.weight.clone()
    copied = copy_vgg16(network, state_of(vgg), other_channels="skip")
    assert torch.equal(first.weight, before)
    assert copied.kept == {"encoder.0.level.convolutions.0.conv": "(64, 1) channels, VGG-16 has (64, 3)"}
    state = state_of(vgg)
    second = "features.3.bias" if "features.3.bias" in state else "features.2.bias"
    assert torch.equal(network.encoder[0].level.convolutions[1].conv.bias, state[second])


@pytest.mark.parametrize("depth_axis", [-1, 0])
def test_a_volume_of_equal_slices_has_their_responses(vgg, depth_axis):
    # Two convolutions of width 3 see zeros beyond the volume in the two outermost slices.
    network, image = SegNet(3, 3, {"segment": 1}, features=(64, 128), convolutions=(2, 2)), torch.rand(1, 3, 8, 8)
    copy_vgg16(network, state_of(vgg), depth_axis=depth_axis)
    volume = torch.stack([image] * 7, 2 + depth_axis % 3)
    level = network.eval().encoder[0].level
    second = [i for i, module in enumerate(vgg) if isinstance(module, nn.ReLU)][1]
    with torch.no_grad():
        inner = level([volume])[1].select(2 + depth_axis % 3, 3)
        close(inner, vgg[: second + 1](image))


@pytest.mark.parametrize("channels", [1, 3])
def test_norms_that_come_first_are_left_alone(channels):
    state = state_of(plain_vgg16(True))
    network = MTAN(2, channels, {"segment": 1}, attention="encoder", order="norm_conv_act")
    copied = copy_vgg16(network, state)
    assert all(reason == "it comes before the convolution" for reason in copied.kept.values())
    assert len(copied.kept) == 13
    assert torch.equal(network.encoder[4].level.convolutions[2].conv.weight, state["features.40.weight"])


def test_networks_of_another_layout_take_what_fits(vgg):
    another = {"features": (64, 128, 256), "convolutions": (2, 4, 1)}
    copied = copy_vgg16(SegNet(2, 3, {"segment": 1}, **another), state_of(vgg))
    assert copied.kept == {
        f"encoder.1.level.convolutions.{i}": "VGG-16 has fewer convolutions at this level" for i in (2, 3)
    }
    assert len([name for name in copied.loaded if name.endswith("conv")]) == 5
    narrow = copy_vgg16(SegNet(2, 3, {"segment": 1}, features=(64, 96), convolutions=(2, 2)), state_of(vgg))
    assert list(narrow.kept) == [
        "encoder.1.level.convolutions.0.conv",
        "encoder.1.level.convolutions.1.conv",
    ]


def test_all_encoders_of_cross_stitch_and_the_shared_one_of_dense(vgg):
    short = {"features": (64, 128), "convolutions": (2, 2)}
    state = state_of(vgg)
    network = CrossStitchSegNet(2, 3, {"a": 1}, {"b": 2}, **short)
    copy_vgg16(network, state)
    for task in "ab":
        first = network.encoder[0].levels[task].level.convolutions[0].conv
        assert torch.equal(first.weight, state["features.0.weight"])
    network = DenseSegNet(2, 3, {"a": 1, "b": 2}, **short)
    own = {k: v.clone() for k, v in network.networks.state_dict().items()}
    copied = copy_vgg16(network, state)
    assert all(torch.equal(own[k], v) for k, v in network.networks.state_dict().items())
    assert all(name.startswith("encoder.") for name in copied.loaded)


def test_instance_norm_takes_convolutions_only():
    network = SegNet(2, 3, {"segment": 1}, features=(64,), convolutions=(2,), norm="INSTANCE")
    copied = copy_vgg16(network, state_of(plain_vgg16(True)))
    assert copied.loaded == [f"encoder.0.level.convolutions.{i}.conv" for i in (0, 1)]


def test_without_normalization_the_encoder_is_plain_vgg():
    vgg = plain_vgg16(False)
    network, x = SegNet(2, 3, {"segment": 1}, norm=None), torch.rand(1, 3, 32, 32)
    copy_vgg16(network, state_of(vgg))
    with torch.no_grad():
        close(encode(network, x), vgg(x))
        assert F.relu(vgg(x)).any()


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (lambda: SegNet(2, 3, {"a": 1}, features=(4, 8), convolutions=(1, 1)), {}, "No convolution of VGG-16 fits"),
        (lambda: UMC(2, 3, {"a": 1}, features=(4, 8)), {}, "UMC has no encoder of SegNet's levels"),
        (None, {"other_channels": "drop"}, r"other_channels must be one of \('average', 'skip'\), got 'drop'"),
        (None, {"depth_axis": 3}, "depth_axis must be one of the 3 spatial axes, got 3"),
    ],
    ids=["other widths", "other network", "other_channels", "depth_axis"],
)
def test_refuses_what_does_not_fit(build, arguments, message):
    network = build() if build else SegNet(2, 3, {"a": 1}, features=(4,), convolutions=(1,))
    with pytest.raises(ValueError, match=message):
        copy_vgg16(network, state_of(plain_vgg16(False)), **arguments)


def test_refuses_other_states():
    network = SegNet(2, 3, {"a": 1}, features=(64,), convolutions=(2,))
    state = {name: tensor for name, tensor in state_of(plain_vgg16(False)).items() if name != "features.28.weight"}
    with pytest.raises(ValueError, match=r"12 convolutions named 'features.<number>.weight', where VGG-16 has 13"):
        copy_vgg16(network, state)
