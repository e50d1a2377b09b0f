import pytest
import torch
from torch import nn

from monai_mtunet.networks import MTUNet
from monai_mtunet.networks.blocks.exact_checkpoint import checkpoint_exactly

FEATURES = (4, 6, 8)


def pair(**arguments):
    """The same network with and without checkpointing, in training."""
    torch.manual_seed(0)
    plain = MTUNet(2, 3, {"a": 1, "b": 2}, FEATURES, **arguments)
    checkpointed = MTUNet(2, 3, {"a": 1, "b": 2}, FEATURES, use_checkpoint=True, **arguments)
    checkpointed.load_state_dict(plain.state_dict(), strict=True)
    return plain.train(), checkpointed.train()


def train(network, steps=3):
    """Predictions and gradients of each step, and the last state."""
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    seen = []
    for step in range(steps):
        torch.manual_seed(step)  # dropout
        x = torch.rand(3, 3, 20, 24)
        predictions = network(x)
        optimizer.zero_grad()
        sum(p.square().mean() for p in predictions.values()).backward()
        optimizer.step()
        seen.append((predictions, [p.grad.clone() for p in network.parameters()], torch.rand(1)))
    return seen, network.state_dict()


@pytest.mark.parametrize("dense", ["within", "across"])
@pytest.mark.parametrize("norm", ["batch", ("instance", {"affine": True, "track_running_stats": True})], ids=str)
def test_training_equals_that_without_bit_for_bit(dense, norm):
    plain, checkpointed = pair(dense=dense, norm=norm, dropout=0.2)
    expected, actual = train(plain), train(checkpointed)
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_plain_checkpointing_would_count_every_batch_twice():
    norm = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    x = torch.rand(2, 3, 8, 8)
    torch.utils.checkpoint.checkpoint(norm, x, use_reentrant=False).square().sum().backward()
    assert norm[1].num_batches_tracked == 2
    checkpoint_exactly(norm, norm, x).square().sum().backward()
    assert norm[1].num_batches_tracked == 3


def test_buffers_stay_the_objects_that_they_were():
    network = pair()[1]
    before = dict(network.named_buffers())
    train(network, steps=1)
    after = dict(network.named_buffers())
    assert list(after) == list(before)
    assert all(after[name] is before[name] for name in before)


def test_encoder_blocks_are_computed_again_in_the_backward_pass_only():
    plain, checkpointed = pair()
    for network, expected in ((plain, [1, 1, 1]), (checkpointed, [2, 2, 2])):
        calls = [0] * len(FEATURES)
        for i, block in enumerate(network.encoder.blocks):
            block.conv_0.register_forward_hook(lambda *args, i=i, calls=calls: calls.__setitem__(i, calls[i] + 1))
        loss = network(torch.rand(2, 3, 16, 16))["a"].sum()
        assert calls == [1, 1, 1]
        loss.backward()
        assert calls == expected
        network.eval()(torch.rand(2, 3, 16, 16))["a"].sum().backward()
        assert calls == [count + 1 for count in expected]


def kept_gib(**arguments):
    """GiB that training MTUNet on 8 x 3 x 128 x 256 keeps for the backward pass, beside parameters and buffers."""
    with torch.device("meta"):
        network = MTUNet(2, 3, {"segment": 7, "depth": 1}, **arguments).train()
    own = {t.untyped_storage()._cdata for t in (*network.parameters(), *network.buffers())}
    storages = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            storages[storage._cdata] = storage  # alive, so that no identity comes twice
        return tensor

    def keep_inputs(module, args):  # what checkpointing keeps instead, outside of the graph
        for tensor in args[0]:
            keep(tensor)

    for block in network.encoder.blocks:
        block.register_forward_pre_hook(keep_inputs)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.empty(8, 3, 128, 256, device="meta"))
    return sum(storage.nbytes() for storage in storages.values()) / 2**30


@pytest.mark.parametrize(("dense", "plain", "checkpointed"), [("within", 3.14, 2.79), ("across", 3.28, 3.04)])
def test_what_docs_mtunet_says_of_memory(dense, plain, checkpointed):
    assert kept_gib(dense=dense) == pytest.approx(plain, abs=0.006)
    assert kept_gib(dense=dense, use_checkpoint=True) == pytest.approx(checkpointed, abs=0.006)


def test_several_backward_passes_through_one_graph():
    plain, checkpointed = pair()
    x = torch.rand(2, 3, 16, 16)
    results = []
    for network in (plain, checkpointed):
        predictions = network(x)
        shared = list(network.encoder.parameters())
        jacobian = [torch.autograd.grad(p.square().sum(), shared, retain_graph=True) for p in predictions.values()]
        results.append((jacobian, {name: b.clone() for name, b in network.named_buffers()}))
    torch.testing.assert_close(*results, rtol=0, atol=0)


def test_accumulated_batches_count_once_each():
    plain, checkpointed = pair()
    for network in (plain, checkpointed):
        torch.manual_seed(1)
        first, second = (network(torch.rand(2, 3, 16, 16))["b"].square().mean() for _ in range(2))
        (first + second).backward()
    torch.testing.assert_close(checkpointed.state_dict(), plain.state_dict(), rtol=0, atol=0)
    gradients = [[p.grad for p in network.parameters() if p.grad is not None] for network in (plain, checkpointed)]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_an_interrupted_recomputation_leaves_the_buffers_in_place():
    network = pair()[1]
    loss = network(torch.rand(2, 3, 16, 16))["a"].sum()
    buffers = {name: (b, b.clone()) for name, b in network.named_buffers()}

    def interrupt(*args):
        raise KeyboardInterrupt

    network.encoder.blocks[1].conv_1.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        loss.backward()
    for name, b in network.named_buffers():
        assert b is buffers[name][0]
        assert torch.equal(b, buffers[name][1])


def test_the_compiler_leaves_it_alone():
    plain, checkpointed = (network.encoder.blocks[0] for network in pair())
    x = torch.rand(2, 3, 16, 16)
    for block in (plain, torch.compile(checkpointed, backend="eager")):
        block([x])[1].square().mean().backward()
    gradients = [[p.grad for p in block.parameters()] for block in (plain, checkpointed)]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)
    torch.testing.assert_close(checkpointed.state_dict(), plain.state_dict(), rtol=0, atol=0)
