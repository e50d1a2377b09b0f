import logging
import re

import pytest
import torch
from ignite.engine import Events
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from monai.handlers import LrScheduleHandler

from monai_mtunet.engines import MultiTaskPrepareBatch, ResumableCheckpoint
from monai_mtunet.losses import MultiTaskLoss, parameter_groups
from monai_mtunet.networks import UMC, SUNet, freeze_normalization
from monai_mtunet.pretrained import CheckpointError, load_pretrained
from monai_mtunet.pretrained.loaded_weights import copy_weights
from monai_mtunet.tasks import ClassificationTask, SegmentationTask, TaskList

TINY = {"features": (8, 12, 16, 20), "modules": (1, 2, 2, 1), "module_features": 4, "stem_features": (4, 6)}


def classifier(**changes):
    torch.manual_seed(1)
    network = SUNet(2, 3, out_features={"kind": 5}, **{**TINY, **changes})
    network.train()(torch.rand(4, 3, 64, 64))  # running statistics of their own
    return network.eval()


def segmenter(output_stride=32, **changes):
    torch.manual_seed(2)
    return SUNet(2, 3, {"segment": 2}, output_stride=output_stride, **{**TINY, **changes}).eval()


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "best.pt"
    torch.save({"network": classifier().state_dict(), "trainer": {"epoch": 3}}, path)
    return path


@pytest.mark.parametrize("size", [(64, 64), (17, 23), (90, 61)])
def test_features_at_output_stride_32_are_the_classifiers(checkpoint, size):
    network, x = load_pretrained(segmenter(), checkpoint), torch.rand(2, 3, *size)
    with torch.no_grad():
        assert torch.equal(network.trunk(x), classifier().trunk(x))


@pytest.mark.parametrize("output_stride", [32, 16, 8])
@pytest.mark.parametrize("multigrid", [True, False])
def test_at_every_output_stride_every_tensor_of_the_trunk_has_its_place(checkpoint, output_stride, multigrid):
    network = segmenter(output_stride, multigrid=multigrid)
    heads = {name: tensor.clone() for name, tensor in network.heads.state_dict().items()}
    trunk = load_pretrained(network, checkpoint).trunk.state_dict()
    expected = classifier().trunk.state_dict()
    assert list(trunk) == list(expected)
    assert all(torch.equal(trunk[name], expected[name]) for name in expected)
    assert all(torch.equal(tensor, heads[name]) for name, tensor in network.heads.state_dict().items())


def test_a_checkpoint_of_2018_lacks_counters_only(tmp_path, caplog):
    state = {f"module.{n}": t for n, t in classifier().state_dict().items() if not n.endswith("num_batches_tracked")}
    torch.save(
        {"epoch": 100, "arch": "sunet64", "state_dict": state, "best_prec1": torch.tensor(70.7)}, tmp_path / "a.pth"
    )
    network = segmenter()
    report = copy_weights(network, state, "trunk")
    trunk = [name for name in network.state_dict() if name.startswith("trunk.")]
    assert report.loaded == [name for name in trunk if not name.endswith("num_batches_tracked")]
    counters = [name for name in trunk if name.endswith("num_batches_tracked")]
    assert report.kept == dict.fromkeys(counters, "not in it")
    assert report.unused == ["heads.vectors.kind.linear.weight", "heads.vectors.kind.linear.bias"]
    with caplog.at_level(logging.INFO):
        load_pretrained(network, tmp_path / "a.pth", part="trunk")
    (message,) = caplog.messages
    assert f"Loaded {len(report.loaded)} of {len(trunk)} tensors of 'trunk' from" in message
    left = f"{', '.join(counters[:8])} and {len(counters) - 8} more (not in it)"
    assert f"adapted: none; left as initialized: {left}; of the file not taken: heads.vectors (2 tensors)." in message


def test_the_whole_network_with_its_heads(checkpoint):
    torch.manual_seed(9)
    network = SUNet(2, 3, out_features={"kind": 5}, **TINY).eval()
    x = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        assert torch.equal(load_pretrained(network, checkpoint, part="")(x)["kind"], classifier()(x)["kind"])


def test_other_networks_by_the_name_of_their_part(tmp_path):
    networks = [UMC(2, 3, {task: 2}, features=(4, 6)) for task in ("denoise", "segment")]
    torch.save(networks[0].state_dict(), tmp_path / "denoiser.pt")
    load_pretrained(networks[1], tmp_path / "denoiser.pt", part="encoder")
    first, second = (network.encoder.state_dict() for network in networks)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_is_one_key_of_a_configuration(checkpoint):
    config = {
        "imports": ["$import monai_mtunet"],
        "pretrained": str(checkpoint),
        "network_def": {
            "_target_": "SUNet",
            "spatial_dims": 2,
            "in_channels": 3,
            "out_channels": {"segment": 2},
            **TINY,
        },
        "network": "$monai_mtunet.pretrained.load_pretrained(@network_def, @pretrained)",
    }
    network = ConfigParser(config).get_parsed_content("network")
    assert torch.equal(network.trunk.stem.weight, classifier().trunk.stem.weight)
    without = ConfigParser({**config, "pretrained": ""}).get_parsed_content("network")
    assert not torch.equal(without.trunk.stem.weight, classifier().trunk.stem.weight)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features": (8, 12, 16, 24)},
            "best.pt does not fit the SUNet; it has in another shape: trunk.blocks.3.0.expand.1.weight "
            "(20, 4, 1, 1) for (24, 4, 1, 1), trunk.blocks.3.0.expand.1.bias (20,) for (24,)",
        ),
        ({"modules": (1, 2, 3, 1)}, "it lacks: trunk.blocks.2.2."),
        ({"modules": (1, 2, 1, 1)}, "it has, but the network has not: trunk.blocks.2.1."),
    ],
    ids=str,
)
def test_a_checkpoint_of_another_width_or_depth_is_refused_and_nothing_changed(checkpoint, changes, message):
    network = segmenter(**changes)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=re.escape(message)):
        load_pretrained(network, checkpoint, part="trunk")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_an_unknown_part_names_the_parts(checkpoint):
    with pytest.raises(
        ValueError, match=r"SUNet has no part 'encoder' with weights; its parts are \['trunk', 'heads'\]"
    ):
        load_pretrained(segmenter(), checkpoint, part="encoder")


def test_files_that_are_no_checkpoint_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"There is no checkpoint .*absent\.pt"):
        load_pretrained(segmenter(), tmp_path / "absent.pt")
    torch.save({"epoch": 3}, tmp_path / "numbers.pt")
    with pytest.raises(CheckpointError, match=r"numbers\.pt holds \['epoch'\], but no tensors by name"):
        load_pretrained(segmenter(), tmp_path / "numbers.pt")
    torch.save({"network": segmenter()}, tmp_path / "objects.pt")  # loading it could run code
    with pytest.raises(CheckpointError, match=r"objects\.pt .* holds more than tensors and plain values"):
        load_pretrained(segmenter(), tmp_path / "objects.pt")


def train(network, task, optimizer, handlers, target):
    """Two epochs of two iterations on gray images."""
    image = torch.rand(4, 3, 48, 40, generator=torch.Generator().manual_seed(0))
    data = [{"image": x, task.name: t} for x, t in zip(image, target, strict=True)]
    trainer = SupervisedTrainer(
        device="cpu",
        max_epochs=2,
        train_data_loader=DataLoader(Dataset(data), batch_size=2),
        network=network,
        optimizer=optimizer,
        loss_function=MultiTaskLoss(TaskList([task]).losses()),
        prepare_batch=MultiTaskPrepareBatch([task]),
        train_handlers=handlers,
        decollate=False,
    )
    rates = []
    trainer.add_event_handler(
        Events.ITERATION_STARTED, lambda: rates.append([group["lr"] for group in optimizer.param_groups])
    )
    trainer.run()
    return rates


def test_from_a_trained_classifier_to_fine_tuning_as_the_paper_does_it(tmp_path):
    kinds = ClassificationTask("kind", ["a", "b", "c", "d", "e"])
    first = SUNet(2, 3, None, TaskList([kinds]).out_features, **TINY)
    sgd = torch.optim.SGD(first.parameters(), 0.01)
    train(first, kinds, sgd, [ResumableCheckpoint(tmp_path, {"network": first})], torch.tensor([0, 1, 4, -1]))

    task = SegmentationTask("segment", ["dark", "bright"])
    second = SUNet(2, 3, TaskList([task]).out_channels, None, output_stride=8, **TINY)
    second = freeze_normalization(load_pretrained(second, tmp_path / "last.pt"))
    statistics = second.trunk.activation.norm.running_var.clone()
    assert not torch.equal(statistics, torch.ones(20))
    loss = MultiTaskLoss(TaskList([task]).losses())
    sgd = torch.optim.SGD(parameter_groups(second, loss, 0.0, {"heads": 0.002}), lr=0.0002, momentum=0.95)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=4)
    schedule = LrScheduleHandler(cosine, print_lr=False, epoch_level=False)
    rates = train(second, task, sgd, [schedule], torch.randint(2, (4, 1, 48, 40)))
    assert rates == [pytest.approx([2e-4 * f, 2e-3 * f]) for f in (1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5)]
    assert torch.equal(second.trunk.activation.norm.running_var, statistics)
    assert not torch.equal(second.trunk.stem.weight, first.trunk.stem.weight)
