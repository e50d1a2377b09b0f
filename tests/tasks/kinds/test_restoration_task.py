import math

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.engines import SupervisedEvaluator

from monai_mtunet.engines import MultiTaskPrepareBatch
from monai_mtunet.tasks import RestorationTask

MEAN, STD = [100.0, 110.0, 120.0], [40.0, 50.0, 60.0]


class Halve(torch.nn.Module):
    """A network that removes half of what its first input channel holds."""

    def forward(self, image):
        return {"denoise": image[:, :1] / 2}


def evaluate(task, images, targets):
    data = [{"image": image, "denoise": target} for image, target in zip(images, targets, strict=True)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=torch.utils.data.DataLoader(data, batch_size=2),
        network=Halve(),
        prepare_batch=MultiTaskPrepareBatch([task]),
        key_val_metric=task.metrics(spatial_dims=images.ndim - 2),
        decollate=False,
    )
    evaluator.run()
    return evaluator.state.metrics


@pytest.fixture
def task():
    return RestorationTask("denoise", channels=3, data_range=(0, 255), mean=MEAN, std=STD)


@pytest.mark.parametrize("spatial", [(4, 5), (4, 5, 6)])
@pytest.mark.parametrize(("mean", "std"), [(MEAN, STD), (110.0, 50.0), ([110.0], [50.0])])
def test_undo_brings_back_the_datas_units(spatial, mean, std):
    task = RestorationTask("denoise", channels=3, data_range=(0, 255), mean=mean, std=std)
    image = torch.rand(2, 3, *spatial) * 255
    shape = (1, -1, *(1 for _ in spatial))
    normalized = (image - torch.tensor(mean).reshape(shape)) / torch.tensor(std).reshape(shape)
    torch.testing.assert_close(task.undo(normalized), image, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(task.undo(normalized[0], channel_axis=0), image[0], rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(task.postprocess(normalized[0]), image[0], rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(task.values_of_target(normalized[0]), image[0], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("spatial", [(16, 12), (12, 13, 4)])
def test_metrics_are_in_the_datas_units(spatial):
    # In network units the input errs by 2 and the prediction by 1, with std 50 so by 100 and 50.
    task = RestorationTask("denoise", channels=1, data_range=(0, 250), mean=70.0, std=50.0)
    metrics = evaluate(task, torch.full((3, 1, *spatial), 2.0), torch.zeros(3, 1, *spatial))
    assert metrics["denoise_psnr_input"] == pytest.approx(20 * math.log10(250 / 100))
    assert metrics["denoise_psnr"] == pytest.approx(20 * math.log10(250 / 50))
    # Constant images have no structure: only the luminance term of SSIM differs from 1.
    c1 = (0.01 * 250) ** 2
    assert metrics["denoise_ssim"] == pytest.approx((2 * 70 * 120 + c1) / (70**2 + 120**2 + c1), abs=1e-3)


def test_metrics_leave_out_what_is_missing():
    task = RestorationTask("denoise", channels=1, data_range=(0, 250), std=50.0)
    images, targets = torch.full((3, 1, 16, 16), 2.0), torch.zeros(3, 1, 16, 16)
    images[0], targets[0] = 100.0, torch.nan
    images[1, :, :4], targets[1, :, :4] = 100.0, torch.nan
    metrics = evaluate(task, images, targets)
    assert metrics["denoise_psnr_input"] == pytest.approx(20 * math.log10(250 / 100))
    assert metrics["denoise_psnr"] == pytest.approx(20 * math.log10(250 / 50))


def test_input_metric_needs_the_targets_channels():
    images, targets = torch.zeros(2, 2, 16, 16), torch.zeros(2, 1, 16, 16)
    with pytest.raises(ValueError, match=r"'denoise': the input \(2, 2, 16, 16\) .* input_metric=False"):
        evaluate(RestorationTask("denoise", channels=1), images, targets)
    assert "denoise_psnr_input" not in RestorationTask("denoise", channels=1, input_metric=False).metrics(2)


def test_prepare_target_keeps_missing(task):
    target = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    target[0, 0, 0, 0] = torch.nan
    prepared = task.prepare_target(target)
    assert prepared.dtype == torch.float32
    assert prepared.isnan().sum() == 1


def test_prepare_target_refuses_other_channels_and_infinities(task):
    with pytest.raises(ValueError, match=r"'denoise' has 3 channel\(s\), its target has shape \(1, 1, 2, 2\)"):
        task.prepare_target(torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match="'denoise': the target holds infinite values"):
        task.prepare_target(torch.full((1, 3, 2, 2), torch.inf))


def test_draw_clips_to_the_data_range_and_shows_missing_white():
    task = RestorationTask("denoise", channels=1, data_range=(100, 200))
    picture = task.draw(torch.tensor([[[0.0, 100.0, 150.0, 200.0, 300.0, torch.nan]]]))
    assert picture.dtype == np.uint8
    assert picture.shape == (1, 6, 3)
    assert picture[0, :, 0].tolist() == [0, 0, 128, 255, 255, 255]
    assert (picture == picture[..., :1]).all()


def test_draw_keeps_colors(task):
    picture = task.draw(torch.tensor([255.0, 0.0, 51.0]).reshape(3, 1, 1))
    assert picture.tolist() == [[[255, 0, 51]]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data_range": (1, 1)}, r"data_range must be \(lowest, highest\), got \(1, 1\)"),
        ({"mean": [1.0, 2.0]}, r"mean must be one number or one per channel \(3\), got \[1.0, 2.0\]"),
        ({"std": [1.0, 2.0]}, r"std must be one number or one per channel \(3\), got \[1.0, 2.0\]"),
        ({"std": 0.0}, "std must be positive, got 0.0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"'denoise': {message}"):
        RestorationTask("denoise", channels=3, **arguments)


def test_metadata_give_the_range(task):
    metadata = task.metadata(spatial_dims=3)
    assert metadata["format"] == "magnitude"
    assert metadata["value_range"] == [0, 255]
    assert metadata["spatial_shape"] == ["*", "*", "*"]


def test_against_noisy_targets_only_the_squared_error_is_reported():
    task = RestorationTask("denoise", channels=1, data_range=(0, 10), mean=5, std=2, clean_target=False)
    (name, metric), *others = task.metrics(spatial_dims=2).items()
    assert (name, others) == ("denoise_noisy_mse", [])
    target = torch.full((1, 1, 4, 4), torch.nan)
    target[0, 0, 1, 1] = 1.0
    engine = Engine(lambda engine, batch: {"pred": {"denoise": torch.zeros(1, 1, 4, 4)}, "label": {"denoise": target}})
    metric.attach(engine, name)
    assert engine.run([0]).metrics[name] == pytest.approx(4.0)  # (2 * 1)^2, in the data's units
