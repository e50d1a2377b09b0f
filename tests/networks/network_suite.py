"""The properties that every network of the package has, as tests that each network's test class inherits."""

import copy
import io
from itertools import combinations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

SIZES = {2: [(17, 23), (33, 49), (1, 32), (1, 1)], 3: [(16, 9, 12), (1, 17, 20), (5, 1, 33)]}
# Compiling takes most of the time. A volume's modules are an image's, in all that TorchScript and `keep_only` see.
DIMENSIONS = [2, pytest.param(3, marks=pytest.mark.slow)]


def close(actual: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float = 1e-5) -> None:
    """Check that two predictions have the same tasks in the same order and the same values."""
    assert list(actual) == list(expected)
    for task in expected:
        torch.testing.assert_close(actual[task], expected[task], rtol=tolerance, atol=tolerance)


def refuses_other_shapes(network: nn.Module) -> None:
    """Check that a network for 2D images with 3 channels says of any other input what it takes."""
    for shape in ((2, 3, 8, 8, 8), (3, 8, 8), (2, 1, 8, 8)):
        # TorchScript raises its own Error, with this text in it.
        with pytest.raises(
            (ValueError, torch.jit.Error), match=r"2D images \(B, 3, H, W\), got a tensor of shape \["
        ) as e:
            network(torch.rand(shape))
        assert str(list(shape)) in str(e.value)


def subsets(tasks: dict[str, int]) -> list[tuple[str, ...]]:
    """All subsets of the tasks but none and all, in declaration order."""
    return [subset for count in range(1, len(tasks)) for subset in combinations(tasks, count)]


def cost(network: nn.Module, x: Tensor) -> tuple[int, int]:
    """Operations of a pass, and parameters."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(x)
    return counter.get_total_flops(), sum(p.numel() for p in network.parameters())


def shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: values.shape for name, values in network.state_dict().items()}


class NetworkSuite:
    """Inherit, and say how to build the network: `build(spatial_dims, out_channels)` with 3 input channels.

    `tasks` are the task sets that the network is tested with; a network with vector heads overrides `shape_of`.
    """

    in_channels = 3
    tasks: tuple[dict[str, int], ...] = ({"segment": 4}, {"edges": 1, "denoise": 3, "aux": 2})

    @staticmethod
    def build(spatial_dims: int, out_channels: dict[str, int]) -> nn.Module:
        raise NotImplementedError

    def shape_of(self, task: str, channels: int, x: Tensor) -> tuple[int, ...]:
        return (x.shape[0], channels, *x.shape[2:])

    def network(self, spatial_dims: int = 2, tasks: int = -1) -> nn.Module:
        torch.manual_seed(0)
        return self.build(spatial_dims, self.tasks[tasks])

    def image(self, *spatial: int, batch: int = 2) -> Tensor:
        return torch.rand(batch, self.in_channels, *spatial, generator=torch.Generator().manual_seed(1))

    @pytest.mark.parametrize("spatial_dims", [2, 3])
    @pytest.mark.parametrize("tasks", [0, -1], ids=["one", "several"])
    def test_predicts_each_task_in_order_at_the_inputs_size(self, spatial_dims, tasks):
        network = self.network(spatial_dims, tasks)
        for size in SIZES[spatial_dims]:
            x = self.image(*size)
            expected = {task: self.shape_of(task, channels, x) for task, channels in self.tasks[tasks].items()}
            with torch.no_grad():
                trained, evaluated = network.train()(x), network.eval()(x)
            for predictions in (trained, evaluated):
                assert type(predictions) is dict
                assert list(predictions) == list(expected)
                assert {task: tuple(p.shape) for task, p in predictions.items()} == expected
                assert all(torch.isfinite(p).all() for p in predictions.values())

    def silent(self, network: nn.Module, x: Tensor) -> list[str]:
        """Parameters, and the input, that the predictions give no gradient."""
        x.requires_grad_()
        sum(p.square().mean() for p in network(x).values()).backward()
        gradients = {name: parameter.grad for name, parameter in network.named_parameters()} | {"the input": x.grad}
        return [name for name, grad in gradients.items() if grad is None or not grad.abs().sum() > 0]

    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_gradients_reach_every_parameter_and_the_input(self, spatial_dims):
        assert self.silent(self.network(spatial_dims).train(), self.image(*(20, 24, 16)[:spatial_dims])) == []

    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_some_of_the_tasks_are_predicted_as_all_are(self, spatial_dims):
        network, x = self.network(spatial_dims), self.image(*(17, 24, 16)[:spatial_dims])
        with torch.no_grad():
            network.train()(x)  # so that running statistics differ from their initial values
            full = network.eval()(x)
        for tasks in subsets(self.tasks[-1]):
            kept = copy.deepcopy(network).keep_only(tasks[::-1])
            with torch.no_grad():
                close(kept(x), {task: full[task] for task in tasks}, tolerance=0)
            assert {**kept.out_channels, **kept.out_features} == {task: self.tasks[-1][task] for task in tasks}
            assert set(kept.state_dict()) <= set(network.state_dict())

    @pytest.mark.parametrize("spatial_dims", DIMENSIONS)
    def test_some_of_the_tasks_leave_nothing_that_they_do_not_need(self, spatial_dims):
        for tasks in subsets(self.tasks[-1]):
            kept = self.network(spatial_dims).train().keep_only(tasks)
            assert self.silent(kept, self.image(*(20, 24, 16)[:spatial_dims])) == [], tasks

    def test_one_of_the_tasks_costs_less(self):
        x = self.image(17, 24)
        operations, parameters = cost(self.network().eval(), x)
        for task in self.tasks[-1]:
            fewer = cost(self.network().eval().keep_only(task), x)
            assert fewer[0] < operations, task
            assert fewer[1] < parameters, task

    def test_tasks_can_be_left_out_one_after_the_other(self):
        for tasks in subsets(self.tasks[-1])[-2:]:
            first = self.network().keep_only(tasks)
            for task in tasks:
                again, at_once = copy.deepcopy(first).keep_only(task), self.network().keep_only(task)
                assert shapes(again) == shapes(at_once)
                close(again.eval()(self.image(9, 16)), at_once.eval()(self.image(9, 16)), tolerance=0)

    def test_keeping_all_tasks_changes_nothing(self):
        network = self.network().eval()
        assert network.keep_only(" ".join(reversed(self.tasks[-1]))) is network
        close(network(self.image(16, 16)), self.network().eval()(self.image(16, 16)), tolerance=0)
        assert network.state_dict().keys() == self.network().state_dict().keys()

    def test_refuses_to_keep_other_tasks(self):
        network = self.network()
        for tasks, got in (("other", r"\['other'\]"), ([], r"\[\]"), ([*self.tasks[-1], "other"], r"\[.*'other'\]")):
            with pytest.raises(ValueError, match=rf"tasks \[{', '.join(map(repr, self.tasks[-1]))}\], got {got}"):
                network.keep_only(tasks)
        assert list(network.eval()(self.image(16, 16))) == list(self.tasks[-1])

    def test_state_dict_round_trip(self):
        network, other = self.network(), self.build(2, self.tasks[-1])
        x = self.image(16, 16)
        network.train()(x)  # so that running statistics differ from their initial values
        file = io.BytesIO()
        torch.save(network.state_dict(), file)
        file.seek(0)
        other.load_state_dict(torch.load(file, weights_only=True), strict=True)
        close(other.eval()(x), network.eval()(x), tolerance=0)

    @pytest.mark.parametrize("spatial_dims", DIMENSIONS)
    def test_torchscript_equals_eager(self, spatial_dims):
        network = self.network(spatial_dims).eval()
        scripted = torch.jit.script(network)
        for size in ((16, 24, 8), (17, 1, 9)):
            x = self.image(*size[:spatial_dims])
            close(scripted(x), network(x))
        if spatial_dims == 2:
            refuses_other_shapes(scripted)

    def test_some_of_the_tasks_compile_to_torchscript(self):
        network, x = self.network().eval().keep_only(list(self.tasks[-1])[-1:]), self.image(17, 9)
        close(torch.jit.script(network)(x), network(x))

    @pytest.mark.slow  # by default UMC and SegNet are exported, for any size
    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_torch_export_equals_eager(self, spatial_dims):
        network, x = self.network(spatial_dims).eval(), self.image(*(17, 24, 8)[:spatial_dims])
        close(torch.export.export(network, (x,)).module()(x), network(x))
        network.keep_only(list(self.tasks[-1])[-1:])
        close(torch.export.export(network, (x,)).module()(x), network(x))

    @pytest.mark.parametrize(("spatial_dims", "layout"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
    def test_channels_last_equals_contiguous(self, spatial_dims, layout):
        network, x = self.network(spatial_dims).eval(), self.image(*(17, 24, 8)[:spatial_dims])
        expected = network(x)
        close(network.to(memory_format=layout)(x.to(memory_format=layout)), expected)

    def test_is_deterministic(self):
        x = self.image(20, 20)
        close(self.network().train()(x), self.network().train()(x), tolerance=0)

    def test_samples_of_a_batch_are_independent_in_eval(self):
        network, x = self.network().eval(), self.image(16, 20, batch=3)
        together = network(x)
        for i in range(len(x)):
            close(network(x[i : i + 1]), {task: p[i : i + 1] for task, p in together.items()})

    def test_leaves_its_input_as_it_is(self):
        x = self.image(16, 20)
        before = x.clone()
        self.network().train()(x)
        assert torch.equal(x, before)

    def test_refuses_inputs_of_another_shape(self):
        refuses_other_shapes(self.network())

    def test_tells_what_it_was_built_for(self):
        network = self.network(3)
        assert (network.spatial_dims, network.in_channels) == (3, self.in_channels)
        assert list({**network.out_channels, **network.out_features}.items()) == list(self.tasks[-1].items())

    @pytest.mark.parametrize(
        ("out_channels", "message"),
        [
            ({}, "one or more task names"),
            ({"segment": 0}, r"\['segment'\] must be a positive int, got 0"),
            ({"segment": 2.5}, "must be a positive int, got 2.5"),
            ({"a.b": 1}, "'a.b', which cannot name a module"),
            ({"": 1}, "cannot name a module"),
            ({"type": 1}, "'type', which cannot name a module"),
            ({"class": 1}, "'class', which cannot name a module"),
            ({"keys": 1}, "'keys', which cannot name a module"),
        ],
        ids=str,
    )
    def test_refuses_bad_tasks(self, out_channels, message):
        with pytest.raises(ValueError, match=message):
            self.build(2, out_channels)

    @pytest.mark.parametrize("spatial_dims", [1, 4])
    def test_refuses_other_dimensions_than_2_and_3(self, spatial_dims):
        with pytest.raises(ValueError, match=f"spatial_dims must be 2 or 3, got {spatial_dims}"):
            self.build(spatial_dims, self.tasks[0])


class VariantSuite(NetworkSuite):
    """For other settings of a network that is tested: they compute otherwise, but compile much as the first ones."""

    @pytest.mark.slow
    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_torchscript_equals_eager(self, spatial_dims):
        super().test_torchscript_equals_eager(spatial_dims)

    @pytest.mark.slow
    def test_some_of_the_tasks_compile_to_torchscript(self):
        super().test_some_of_the_tasks_compile_to_torchscript()
