"""All that fits of a checkpoint: what is taken, adapted and left, on networks of every family."""

import logging
import re

import pytest
import torch
from torch import nn

from monai_mtunet.networks import (
    MTAN,
    UMC,
    CrossStitchSegNet,
    DenseSegNet,
    MTUNet,
    MultiTaskHourglass,
    NetworkChain,
    SegNet,
    SUNet,
)
from monai_mtunet.pretrained import CheckpointError, load_pretrained
from monai_mtunet.pretrained.fitting_weights import for_channels
from monai_mtunet.pretrained.loaded_weights import copy_weights

SEGNET = {"features": (4, 6, 8, 10, 12)}
FAMILIES = {
    UMC: {"features": (4, 6, 8)},
    MTUNet: {"features": (4, 6, 8)},
    MultiTaskHourglass: {"features": (4, 6, 8), "convolutions": (1, 1, 1)},
    SegNet: SEGNET,
    MTAN: SEGNET,
    DenseSegNet: SEGNET,
    CrossStitchSegNet: SEGNET,
    SUNet: {"features": (8, 12, 16, 20), "modules": (1, 2, 2, 1), "module_features": 4, "stem_features": (4, 6)},
}
TASKS = {"depth": 1, "segment": 4}


def build(family=UMC, channels=3, tasks=TASKS, seed=0, dims=2, **changes):
    torch.manual_seed(seed)
    return family(dims, channels, tasks, **FAMILIES[family] | changes).eval()


def state_of(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def assert_report_is_true(network, before, given, report):
    """Every tensor is told of once, and is what was told."""
    after = network.state_dict()
    assert sorted([*report.loaded, *report.kept]) == sorted(after)
    assert all(torch.equal(after[name], given[name]) for name in report.loaded if name not in report.adapted)
    assert all(torch.equal(after[name], before[name]) for name in report.kept)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_of_other_classes_stays_as_initialized(family):
    given, network = state_of(build(family)), build(family, tasks={"depth": 1, "segment": 7}, seed=1)
    before = state_of(network)
    report = copy_weights(network, given)
    assert_report_is_true(network, before, given, report)
    assert report.kept
    assert all("segment" in name and "head" in name for name in report.kept)
    assert all("is (4, " in reason and "in it, (7, " in reason for reason in report.kept.values())
    assert report.unused == []
    assert report.adapted == {}


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in (MTUNet, CrossStitchSegNet)])
def test_one_more_task_leaves_what_the_others_predict(family):
    first, network = build(family), build(family, tasks={**TASKS, "edges": 1}, seed=1)
    given, before = state_of(first), state_of(network)
    report = copy_weights(network, given)
    assert_report_is_true(network, before, given, report)
    assert report.unused == []
    assert all("edges" in name for name in report.kept)
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert all(torch.equal(first(x)[task], network(x)[task]) for task in TASKS)


@pytest.mark.parametrize("family", [MTUNet, CrossStitchSegNet])
def test_where_tasks_are_interwoven_the_rest_is_taken(family):
    given, network = state_of(build(family)), build(family, tasks={**TASKS, "edges": 1}, seed=1)
    before = state_of(network)
    report = copy_weights(network, given)
    assert_report_is_true(network, before, given, report)
    assert {name for name in given if "encoder" in name and ".conv" in name} <= set(report.loaded)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("channels", [(1, 2), (3, 4), (3, 1)], ids=str)
def test_images_of_equal_channels_have_the_same_predictions(family, channels):
    assert_equal_channels_keep_their_predictions(family, *channels)


def test_images_that_deeper_blocks_read_too():
    assert_equal_channels_keep_their_predictions(MTUNet, 3, 4, dense="across", attention=False)


def assert_equal_channels_keep_their_predictions(family, known, new, **changes):
    first, network = build(family, known, **changes), build(family, new, seed=1, **changes)
    given, before = state_of(first), state_of(network)
    report = copy_weights(network, given)
    assert_report_is_true(network, before, given, report)
    assert report.kept == {}
    assert next(iter(report.adapted.values())).startswith(f"{known} channels in it, {new} here")
    gray = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        expected, got = first(gray.expand(-1, known, -1, -1)), network(gray.expand(-1, new, -1, -1))
    for task in TASKS:
        torch.testing.assert_close(got[task], expected[task], rtol=1e-4, atol=1e-5)


def test_known_channels_keep_their_kernels_up_to_the_scale():
    weight = torch.arange(12.0).reshape(2, 3, 2)
    more = for_channels(weight, 3, 4)
    assert torch.equal(more[:, :3], weight * 0.75)
    assert torch.equal(more[:, 3], weight.mean(1) * 0.75)
    assert torch.equal(for_channels(weight, 3, 1), weight.sum(1, keepdim=True))
    assert torch.equal(for_channels(weight, 3, 3), weight)
    beside = for_channels(weight, 1, 2)  # the image's one channel, and two of other maps
    assert torch.equal(beside, torch.stack([weight[:, 0] / 2, weight[:, 0] / 2, weight[:, 1], weight[:, 2]], 1))


def test_nothing_is_adapted_but_what_reads_the_image():
    """A task before the others widens their pathways' convolutions; these are left, not averaged."""
    given, network = state_of(build()), build(tasks={"edges": 1, **TASKS}, channels=4, seed=1)
    report = copy_weights(network, given)
    assert list(report.adapted) == ["encoder.first.conv_0.conv.weight"]
    assert "pathways.depth.blocks.0.conv_0.conv.weight" in report.kept


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "network.", "model."])
@pytest.mark.parametrize("beside", [{}, {"criterion.weight": torch.ones(2)}], ids=["alone", "beside a loss"])
def test_prefixes_of_wrappers(prefix, beside):
    given, network = state_of(build()), build(tasks={"segment": 9, "depth": 1}, seed=1)
    plain = copy_weights(build(tasks={"segment": 9, "depth": 1}), given)
    report = copy_weights(network, {prefix + name: tensor for name, tensor in given.items()} | beside)
    assert (report.loaded, report.kept) == (plain.loaded, plain.kept)
    assert report.unused == list(beside)


@pytest.mark.parametrize("key", ["network", "state_dict", "model", "network_weights"])
def test_keys_of_trainers(tmp_path, key):
    first = build()
    torch.save({"epoch": 3, key: first.state_dict()}, tmp_path / "file.pt")
    network = load_pretrained(build(seed=1), tmp_path / "file.pt")
    assert all(torch.equal(tensor, first.state_dict()[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("fit", [None, "all", "exact"])
def test_a_trained_encoder_alone(fit):
    first = build()
    for given in (first.state_dict(), first.encoder.state_dict()):
        network = build(seed=1)
        before = state_of(network)
        report = copy_weights(network, given, "encoder", fit)
        assert report.kept == {}
        assert all(torch.equal(t, network.encoder.state_dict()[n]) for n, t in first.encoder.state_dict().items())
        assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items() if n.startswith("pathways"))


def test_a_part_adapts_only_where_it_is_told_to():
    given, first = build().state_dict(), "encoder.first.conv_0.conv.weight"
    with pytest.raises(CheckpointError, match=rf"it has in another shape: {re.escape(first)}"):
        copy_weights(build(channels=4), given, "encoder")
    assert list(copy_weights(build(channels=4), given, "encoder", "all").adapted) == [first]


def test_a_network_of_a_chain():
    first = build(tasks={"denoise": 3})
    chain = NetworkChain([build(tasks={"denoise": 3}, seed=1), build(seed=2)], via="denoise")
    copy_weights(chain, first.state_dict(), "networks.0")
    assert all(torch.equal(t, first.state_dict()[n]) for n, t in chain.networks[0].state_dict().items())


@pytest.mark.parametrize(
    ("given", "examples"),
    [
        (build(features=(5, 7, 9)), r"encoder\.first\.conv_0\.conv\.weight \(5, 3, 3, 3\)"),
        (build(dims=3), r"encoder\.first\.conv_0\.conv\.weight \(4, 3, 3, 3, 3\)"),  # all of its vectors would fit
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), r"0\.weight \(4, 3, 3, 3\)"),
        (build(SUNet, tasks=TASKS), r"trunk\.stem\.weight \(4, 3, 7, 7\)"),
        (nn.BatchNorm2d(4), r"weight \(4,\)"),
    ],
    ids=["width", "dimensions", "another's", "another of ours", "no kernels"],
)
def test_of_which_next_to_nothing_fits_is_refused_and_nothing_changed(tmp_path, given, examples):
    torch.save(given.state_dict(), tmp_path / "other.pt")
    network = build(seed=1)
    before = state_of(network)
    ours = r"encoder\.first\.conv_0\.conv\.weight \(4, 3, 3, 3\)"
    message = rf"other\.pt does not fit the UMC: 0 of its .* It has {examples}.* the network has {ours}.* Build the"
    with pytest.raises(CheckpointError, match=message):
        load_pretrained(network, tmp_path / "other.pt")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_vgg16_has_a_function_of_its_own():
    vgg16 = {"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}
    with pytest.raises(CheckpointError, match="VGG-16's weights are read by load_vgg16, in the mtan bundle --vgg16"):
        copy_weights(build(MTAN), vgg16)


def test_the_log_says_it_in_one_line(tmp_path, caplog):
    shared = {"connectivity": "shared"}
    torch.save({"network": build(tasks={"denoise": 3, "segment": 4}, **shared).state_dict()}, tmp_path / "best.pt")
    network = build(channels=4, tasks={"segment": 6, "edges": 1}, **shared)
    with caplog.at_level(logging.INFO):
        load_pretrained(network, tmp_path / "best.pt")
    (message,) = caplog.messages
    assert "best.pt; adapted: encoder.first.conv_0.conv.weight (3 channels in it, 4 here: each new one takes" in message
    assert "pathways.segment.head (2 tensors) (weight is (4, 4, 1, 1) in it, (6, 4, 1, 1) here)" in message
    assert "pathways.edges (26 tensors) (not in it)" in message
    assert message.endswith("of the file not taken: pathways.denoise (26 tensors).")


def test_the_log_of_a_part_names_what_is_outside(tmp_path, caplog):
    torch.save(build(tasks={**TASKS, "edges": 1}).state_dict(), tmp_path / "best.pt")
    with caplog.at_level(logging.INFO):
        load_pretrained(build(seed=1), tmp_path / "best.pt", part="encoder")
    (message,) = caplog.messages
    assert message.startswith("Loaded 36 of 36 tensors of 'encoder' from")
    assert message.endswith("left as initialized: none; of the file not taken: pathways (78 tensors).")


@pytest.mark.parametrize(("levels", "level"), [((4, 7, 9, 8), "WARNING"), ((4, 6, 8, 10), "INFO")])
def test_little_that_fits_is_a_warning(tmp_path, caplog, levels, level):
    """Of a network of other widths, the first level's convolutions fit."""
    torch.save(build(features=levels).state_dict(), tmp_path / "best.pt")
    with caplog.at_level(logging.INFO):
        load_pretrained(build(features=(4, 6, 8, 10), seed=1), tmp_path / "best.pt")
    (record,) = caplog.records
    assert record.levelname == level
    assert bool(re.match(r"Only \d\d% of the kernels fit: was .* Loaded", record.message)) == (level == "WARNING")


def test_another_fit_names_the_two():
    with pytest.raises(ValueError, match=r"fit must be one of \('all', 'exact'\), got 'most'"):
        copy_weights(build(), build().state_dict(), fit="most")
