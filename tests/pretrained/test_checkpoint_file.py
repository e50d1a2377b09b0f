import pytest
import torch
from torch import nn

from monai_mtunet.engines.handlers.checkpoints import load_checkpoint
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.pretrained import CheckpointError, load_pretrained
from monai_mtunet.pretrained.checkpoint_file import read_checkpoint


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.pt"


def saved(path, **changed):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    torch.save({"network": network.state_dict() | changed}, path)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


def load_by_engine(path, network):
    load_checkpoint(path, {"network": network})


def load_by_network(path, network):
    load_pretrained(network, path)


@pytest.mark.parametrize("load", [load_by_engine, load_by_network])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"0.weight": torch.full((2, 1, 3, 3), torch.nan)},
            r"a.pt cannot be used, its 0.weight is not finite.*Take an",
        ),
        ({"1.running_var": torch.tensor([1.0, torch.inf])}, "its 1.running_var is not finite"),
        ({"0.bias": torch.tensor([1, 2])}, r"its 0.bias is torch.int64, where the network has torch.float32"),
    ],
)
def test_weights_that_no_training_leaves_are_refused(path, load, changed, message):
    network = saved(path, **changed)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=message):
        load(path, network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_half_precision_is_taken(path):
    network = saved(path, **{"0.bias": torch.tensor([0.5, 2.0], dtype=torch.float16)})
    load_by_engine(path, network)
    assert network[0].bias.tolist() == [0.5, 2.0]


def test_a_history_may_have_gaps(path):
    class Gaps(MultiTaskLoss):
        def __init__(self):
            super().__init__({"a": nn.MSELoss()})
            self.register_buffer("history", torch.tensor([1.0, torch.nan]))

    torch.save({"loss": Gaps().state_dict()}, path)
    load_checkpoint(path, {"loss": Gaps()})


def test_a_wrong_checksum_is_noticed(path):
    network = saved(path, **{"0.weight": torch.full((2, 1, 3, 3), 0.123)})
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((9,), 0.123).numpy().tobytes())] ^= 1
    path.write_bytes(content)
    torch.load(path, weights_only=True)  # torch does not notice
    for load in (load_by_engine, load_by_network):
        with pytest.raises(CheckpointError, match=r"a.pt .* corrupt .*take another copy.*the checksum of .* is wrong"):
            load(path, network)


@pytest.mark.parametrize(
    "content",
    [{"network": [1, 2]}, {"network": None}, {1: 2, "a": 3}, {"network": {1: torch.zeros(2)}}, {"network": {}}],
)
def test_other_things_are_refused_by_name(path, content):
    network = saved(path)
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"a.pt "):
        load_by_engine(path, network)
    with pytest.raises(CheckpointError, match=r"a.pt "):
        load_by_network(path, network)


def test_what_the_reader_says_is_cut_to_a_line(path):
    torch.save({"network": path}, path)  # a path is code to unpickle
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert len(str(caught.value)) < 700
    assert "\n" not in str(caught.value)
