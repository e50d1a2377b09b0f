import pytest
import torch
from network_suite import VariantSuite, close
from torch import nn

from monai_mtunet.networks import UMC, ClassicalDenoiser, NetworkChain, SegNet

FEATURES = (4, 6, 8)


def chain(training_mode, *tasks_of_networks, spatial_dims=2):
    torch.manual_seed(0)
    tasks_of_networks = tasks_of_networks or ({"denoise": 3}, {"segment": 4})
    networks = [UMC(spatial_dims, 3, tasks, features=FEATURES) for tasks in tasks_of_networks]
    return NetworkChain(networks, "denoise", training_mode)


class TestNetworkChain(VariantSuite):
    tasks = ({"denoise": 3, "segment": 4}, {"edges": 1, "denoise": 3, "segment": 4, "depth": 1})

    @staticmethod
    def build(spatial_dims, out_channels):
        first = {task: channels for task, channels in out_channels.items() if task in ("edges", "denoise")}
        second = {task: channels for task, channels in out_channels.items() if task not in first}
        return chain("joint", first or {"denoise": 3}, second, spatial_dims=spatial_dims)


def image():
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def trained(network):
    """Which of the networks have gradients."""
    return [any(p.grad is not None for p in n.parameters()) for n in network.networks]


@pytest.mark.parametrize("training_mode", ["joint", "detached", "frozen"])
def test_equals_running_one_network_after_another(training_mode):
    network, x = chain(training_mode).eval(), image()
    denoiser, segmenter = network.networks
    denoised = denoiser(x)
    close(network(x), {**denoised, **segmenter(denoised["denoise"])}, tolerance=0)


@pytest.mark.parametrize(
    ("training_mode", "by_segmentation"),
    [("joint", [True, True]), ("detached", [False, True]), ("frozen", [False, True])],
)
def test_whom_the_segmentation_loss_trains(training_mode, by_segmentation):
    network = chain(training_mode).train()
    network(image())["segment"].square().mean().backward()
    assert trained(network) == by_segmentation


@pytest.mark.parametrize("training_mode", ["joint", "detached"])
def test_the_denoising_loss_trains_the_denoiser(training_mode):
    network = chain(training_mode).train()
    network(image())["denoise"].square().mean().backward()
    assert trained(network) == [True, False]


def test_joint_adds_both_losses_gradients_in_the_denoiser():
    gradients = {}
    for training_mode in ("joint", "detached"):
        network = chain(training_mode).train()
        sum(p.square().mean() for p in network(image()).values()).backward()
        gradients[training_mode] = [p.grad for p in network.networks[0].parameters()]
    assert any(not torch.allclose(joint, detached) for joint, detached in zip(*gradients.values(), strict=True))


def test_frozen_networks_do_not_change_in_training():
    network = chain("frozen")
    denoiser, segmenter = network.networks
    for _ in ("as built", "after train()"):
        assert not any(m.training for m in denoiser.modules())
        assert all(m.training for m in segmenter.modules())
        network.train()
    # Not only without gradients: DistributedDataParallel would wait for those of parameters that require them.
    assert not any(p.requires_grad for p in denoiser.parameters())
    before = {k: v.clone() for k, v in network.state_dict().items()}
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.1)
    predictions = network(image().requires_grad_())
    assert not predictions["denoise"].requires_grad
    sum(p.square().mean() for p in predictions.values()).backward()
    optimizer.step()
    changed = {k.split(".")[1] for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"1"}


def test_frozen_chain_in_eval_mode_is_in_eval_mode():
    assert not any(m.training for m in chain("frozen").eval().modules())


@pytest.mark.parametrize("training_mode", [pytest.param("detached", marks=pytest.mark.slow), "frozen"])
def test_compiles_to_torchscript(training_mode):
    network = chain(training_mode).eval()
    close(torch.jit.script(network)(image()), network(image()))


def test_three_networks_with_a_link_each():
    first, second = UMC(2, 3, {"denoise": 3}, features=FEATURES), UMC(2, 3, {"gray": 1}, features=FEATURES)
    third = UMC(2, 1, {"segment": 4}, features=FEATURES)
    network = NetworkChain([first, second, third], via=["denoise", "gray"]).eval()
    assert network.out_channels == {"denoise": 3, "gray": 1, "segment": 4}
    close(network(image()), {**first(image()), **(mid := second(first(image())["denoise"])), **third(mid["gray"])})


def test_classical_denoiser_then_segmenter():
    network = NetworkChain([ClassicalDenoiser(2, 3, 0.1), UMC(2, 3, {"segment": 4}, features=FEATURES)], "denoise")
    predictions = network(image())
    assert {task: tuple(p.shape) for task, p in predictions.items()} == {
        "denoise": (2, 3, 16, 16),
        "segment": (2, 4, 16, 16),
    }
    predictions["segment"].square().mean().backward()
    assert trained(network) == [False, True]


def test_has_the_front_of_a_network_with_vectors_last():
    segmenter = SegNet(2, 3, {"segment": 4}, {"species": 2}, features=(4, 6), convolutions=(1, 1))
    network = NetworkChain([UMC(2, 3, {"denoise": 3}, features=FEATURES), segmenter], "denoise")
    assert (network.spatial_dims, network.in_channels) == (2, 3)
    assert network.out_channels == {"denoise": 3, "segment": 4}
    assert network.out_features == {"species": 2}


@pytest.mark.parametrize(
    ("networks", "arguments", "message"),
    [
        ([{"denoise": 3}], {}, "networks must be two at least, got 1"),
        ([{"denoise": 3}, {"segment": 2}], {"via": "clean"}, r"names the task 'clean', but UMC predicts \['denoise'\]"),
        ([{"denoise": 3}, {"segment": 2}], {"via": ["denoise"] * 2}, "each of the 1 links"),
        ([{"denoise": 2}, {"segment": 2}], {}, "2D map with 2 channels, .* built for 2D images with 3 channels"),
        ([{"denoise": 3, "segment": 1}, {"segment": 2}], {}, r"more than one network predicts \['segment'\]"),
        ([{"denoise": 3}, {"segment": 2}], {"training_mode": "alone"}, "training_mode must be one of .* got 'alone'"),
    ],
    ids=str,
)
def test_refuses_networks_that_do_not_fit(networks, arguments, message):
    networks = [UMC(2, 3, tasks, features=FEATURES) for tasks in networks]
    with pytest.raises(ValueError, match=message):
        NetworkChain(networks, **{"via": "denoise", **arguments})


def test_frozen_networks_stay_frozen_where_later_ones_are_left_out():
    network = chain("frozen").keep_only("denoise").train()
    assert len(network.networks) == 1
    assert not any(m.training for m in network.networks[0].modules())
    assert not network(image().requires_grad_())["denoise"].requires_grad


def test_a_link_that_nobody_asked_for_is_not_predicted():
    network = chain("joint", {"edges": 1, "denoise": 3}, {"segment": 4, "depth": 1}).eval()
    full = network(image())
    close(network.keep_only("segment")(image()), {"segment": full["segment"]}, tolerance=0)
    assert [list(n.out_channels) for n in network.networks] == [["denoise"], ["segment"]]


def test_of_networks_that_keep_all_tasks_the_other_predictions_are_left_out():
    class Foreign(nn.Module):
        spatial_dims, in_channels, out_channels, out_features = 2, 3, {"denoise": 3, "edges": 1}, {}

        def forward(self, x):
            return {"denoise": 2 * x, "edges": x[:, :1]}

    network = NetworkChain([Foreign(), UMC(2, 3, {"segment": 4}, features=FEATURES)], "denoise").eval()
    segment = network(image())["segment"]
    close(network.keep_only("segment")(image()), {"segment": segment}, tolerance=0)
