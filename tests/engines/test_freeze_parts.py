"""Parts that do not learn in the first epochs, on a real MONAI trainer."""

import logging

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from torch.nn.parallel import DistributedDataParallel

from monai_mtunet.engines import MultiTaskPrepareBatch, ResumableCheckpoint
from monai_mtunet.engines.handlers.freeze_parts import FreezeParts
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.networks import MTAN, UMC, freeze_normalization
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

from ..losses.two_ranks import on_two_ranks

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["background", "object"])])
# With all that could move a parameter without a gradient.
OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
}


def umc(dropout=0.0):
    torch.manual_seed(0)
    return UMC(2, 1, TASKS.out_channels, features=(4, 6), dropout=dropout)


def trainer(network, epochs, handlers=(), optimizer="AdamW", seed=0, **arguments):
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    data = [{"image": image, "denoise": image, "segment": (image > 0.5).to(torch.uint8)} for image in x]
    return SupervisedTrainer(
        device="cpu",
        max_epochs=epochs,
        train_data_loader=DataLoader(Dataset(data), batch_size=2),
        network=network,
        optimizer=OPTIMIZERS[optimizer](network.parameters()),
        loss_function=MultiTaskLoss(TASKS.losses()),
        prepare_batch=MultiTaskPrepareBatch(TASKS),
        train_handlers=list(handlers),
        decollate=False,
        **arguments,
    )


def recorded(engine, network):
    """The network's state before the training and after every epoch."""
    states = [{name: tensor.clone() for name, tensor in network.state_dict().items()}]
    engine.add_event_handler(
        Events.EPOCH_COMPLETED, lambda: states.append({n: t.clone() for n, t in network.state_dict().items()})
    )
    engine.run()
    return states


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("set_to_none", [True, False])
def test_a_frozen_part_stays_bit_for_bit_and_then_learns(optimizer, set_to_none):
    network = umc()
    engine = trainer(network, 4, [FreezeParts(network, ["encoder"], 2)], optimizer, optim_set_to_none=set_to_none)
    states = recorded(engine, network)
    encoder = {name for name in states[0] if name.startswith("encoder.")}
    assert any(name.endswith("running_mean") for name in encoder)
    everything = set(states[0])
    for epoch in (1, 2):
        assert changed(states[epoch - 1], states[epoch]) == everything - encoder
    for epoch in (3, 4):
        assert changed(states[epoch - 1], states[epoch]) == everything


def test_a_state_of_the_optimizer_moves_nothing():
    """Momentum of an earlier training, by the same optimizer."""
    network = umc()
    engine = trainer(network, 2, optimizer="SGD")
    engine.run()
    FreezeParts(network, ["encoder", "pathways.denoise"], 3).attach(engine)
    engine.state.max_epochs = 4
    states = recorded(engine, network)
    assert all(name.startswith("pathways.segment") for name in changed(states[0], states[1]))
    assert any(name.startswith("encoder") for name in changed(states[1], states[2]))


def test_passes_see_the_part_in_eval_mode_and_the_rest_in_training():
    network = umc(dropout=0.5)
    engine = trainer(network, 2, [FreezeParts(network, ["pathways.denoise"], 1)])
    modes = []
    engine.add_event_handler(
        IterationEvents.FORWARD_COMPLETED,
        lambda: modes.append(
            (
                {module.training for module in network.pathways["denoise"].modules()},
                {module.training for module in [*network.encoder.modules(), *network.pathways["segment"].modules()]},
            )
        ),
    )
    engine.run()
    assert modes == [({False}, {True})] * 2 + [({True}, {True})] * 2


@pytest.mark.parametrize("interrupted_after", [1, 2, 3])
def test_resuming_is_the_uninterrupted_training(tmp_path, interrupted_after):
    def train(epochs, folder, resume=False):
        network = umc()
        engine = trainer(network, epochs)
        states = {"network": network, "optimizer": engine.optimizer}
        ResumableCheckpoint(folder, states, resume=resume).attach(engine)
        FreezeParts(network, ["encoder"], 2).attach(engine)
        engine.run()
        return network.state_dict()

    whole = train(4, tmp_path / "whole")
    train(interrupted_after, tmp_path / "parts")
    resumed = train(4, tmp_path / "parts", resume=True)
    assert changed(whole, resumed) == set()


def test_after_the_training_the_network_is_as_it_was_found():
    network = freeze_normalization(umc())
    before = {name: parameter.requires_grad for name, parameter in network.named_parameters()}
    assert set(before.values()) == {True, False}
    for epochs in (1, 2):  # frozen throughout, and not
        trainer(network, 2, [FreezeParts(network, "encoder", epochs)]).run()
        assert {name: parameter.requires_grad for name, parameter in network.named_parameters()} == before
    network = umc()
    trainer(network, 1, [FreezeParts(network, ["encoder"], 1)]).run()
    torch.jit.script(network.eval())  # no hook is left


def on_rank(rank):
    network = umc()
    with pytest.raises(ValueError, match="wrap the network with find_unused_parameters=True"):
        FreezeParts(DistributedDataParallel(network), ["encoder"], 1)
    wrapped = DistributedDataParallel(network, find_unused_parameters=True)
    engine = trainer(wrapped, 2, [FreezeParts(wrapped, ["encoder"], 1)], seed=rank)
    return recorded(engine, network)


def test_two_ranks_freeze_and_thaw_alike(tmp_path):
    first, second = on_two_ranks(on_rank, tmp_path)
    encoder = {name for name in first[0] if name.startswith("encoder.")}
    for states in (first, second):
        assert changed(states[0], states[1]) == set(states[0]) - encoder
        assert changed(states[1], states[2]) == set(states[0])
    assert all("running" in name for name in changed(first[2], second[2]))


def test_parts_are_modules_by_name():
    network = MTAN(2, 1, TASKS.out_channels, features=(4, 4, 4, 4, 4))
    states = recorded(trainer(network, 1, [FreezeParts(network, ["encoder", "heads.segment"], 1)]), network)
    still = set(states[0]) - changed(*states)
    assert still == {name for name in states[0] if name.startswith(("encoder.", "heads.segment."))}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (["decoder"], r"UMC has no part 'decoder' with parameters; there are \['encoder', 'pathways'\]"),
        (["pathways.edges"], r"no part 'pathways.edges' .* \['pathways.denoise', 'pathways.segment'\]"),
        (["encoder.pool"], r"no part 'encoder.pool' .* \['encoder.first', 'encoder.downs'\]"),
        (["encoder", "pathways"], "all that UMC could learn: freeze fewer parts"),
    ],
)
def test_parts_that_can_not_be_frozen(parts, message):
    with pytest.raises(ValueError, match=message):
        FreezeParts(umc(), parts, 1)


def test_epochs_are_none_or_more():
    with pytest.raises(ValueError, match="epochs must not be negative, got -1"):
        FreezeParts(umc(), ["encoder"], -1)
    network = umc()
    states = recorded(trainer(network, 1, [FreezeParts(network, ["encoder"], 0)]), network)
    assert changed(*states) == set(states[0])


def test_without_a_number_of_epochs_it_is_throughout(caplog):
    network = umc()
    with caplog.at_level(logging.INFO, "monai_mtunet"):
        first, *_, last = recorded(trainer(network, 3, [FreezeParts(network, ["encoder"])]), network)
    assert not any(name.startswith("encoder.") for name in changed(first, last))
    assert [record.message for record in caplog.records] == ["Frozen throughout: encoder."]
