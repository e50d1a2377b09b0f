"""The properties that every network of the package has, as tests that each network's test class inherits."""

import io

import pytest
import torch
from torch import Tensor, nn

SIZES = {2: [(17, 23), (33, 49), (1, 32), (1, 1)], 3: [(16, 9, 12), (1, 17, 20), (5, 1, 33)]}
# Compiling takes most of the time, and a volume's modules are an image's in all that TorchScript sees.
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

    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_gradients_reach_every_parameter_and_the_input(self, spatial_dims):
        network = self.network(spatial_dims).train()
        x = self.image(*(20, 24, 16)[:spatial_dims]).requires_grad_()
        sum(p.square().mean() for p in network(x).values()).backward()
        silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert silent == []
        assert x.grad.abs().sum() > 0

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

    @pytest.mark.slow  # by default UMC and SegNet are exported, for any size
    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_torch_export_equals_eager(self, spatial_dims):
        network, x = self.network(spatial_dims).eval(), self.image(*(17, 24, 8)[:spatial_dims])
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
