import pytest
import torch
import torch.nn.functional as F

from monai_mtunet.networks.blocks.pooling import MaxPoolWithIndices, unpool

SIZES = [(16, 24), (17, 23), (75, 5), (1, 9), (1, 1), (8, 6, 4), (7, 5, 9), (1, 6, 5)]


def image(*spatial):
    return torch.randn(2, 3, *spatial, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_puts_maxima_back_and_zeros_elsewhere(size):
    x = image(*size)
    pooled, indices = MaxPoolWithIndices((2,) * len(size))(x)
    y = unpool(pooled, indices, list(size))
    assert y.shape == x.shape
    assert torch.equal(y[y != 0], x[y != 0])
    assert ((y != 0).flatten(2).sum(-1) == pooled[0, 0].numel()).all()
    again, indices_again = MaxPoolWithIndices((2,) * len(size))(y.abs())
    assert torch.equal(indices_again, indices)
    assert torch.equal(again, pooled.abs())


@pytest.mark.parametrize("stride", [(2, 2), (3, 2), (1, 4), (2, 2, 2), (1, 2, 3)], ids=str)
def test_equals_torchs_where_that_works(stride):
    size = (13, 11, 7)[: len(stride)]
    x = image(*size)
    pooled, indices = MaxPoolWithIndices(stride)(x)
    max_pool, max_unpool = ((F.max_pool2d, F.max_unpool2d), (F.max_pool3d, F.max_unpool3d))[len(stride) - 2]
    expected, expected_indices = max_pool(x, stride, return_indices=True)
    assert torch.equal(pooled, expected)
    assert torch.equal(indices, expected_indices)
    inside = tuple(
        n - n % s for n, s in zip(size, stride, strict=True)
    )  # torch refuses sizes that leave a rest > stride
    values = torch.rand_like(pooled).requires_grad_()
    ours, theirs = unpool(values, indices, list(size)), max_unpool(values, indices, stride, output_size=size)
    assert torch.equal(ours, theirs)
    weights = torch.rand_like(ours)
    gradients = [torch.autograd.grad((y * weights).sum(), values)[0] for y in (ours, theirs)]
    assert torch.equal(*gradients)
    assert all(pooled.shape[i + 2] == n // s for i, (n, s) in enumerate(zip(inside, stride, strict=True)))


@pytest.mark.parametrize("size", [(7, 9), (5, 6, 7)], ids=str)
def test_gradients(size):
    values, indices = MaxPoolWithIndices((2,) * len(size))(image(*size))
    assert torch.autograd.gradcheck(lambda v: unpool(v, indices, list(size)), values.requires_grad_())


@pytest.mark.parametrize("size", [(16, 10), (9, 7, 5)], ids=str)
def test_works_under_deterministic_algorithms_where_torchs_does_not(size):
    values, indices = MaxPoolWithIndices((2,) * len(size))(image(*size).requires_grad_())
    torch.use_deterministic_algorithms(True)
    try:
        first = unpool(values, indices, list(size))
        assert torch.equal(first, unpool(values, indices, list(size)))
        first.square().sum().backward()
        with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
            (F.max_unpool2d if len(size) == 2 else F.max_unpool3d)(values, indices, 2, output_size=size)
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_keeps_the_type(dtype):
    pooled, indices = MaxPoolWithIndices((2, 2))(image(6, 7).to(dtype))
    assert unpool(pooled, indices, [6, 7]).dtype == dtype
