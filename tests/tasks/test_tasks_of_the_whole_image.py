"""A task with one vector per image beside a dense one: through loading, training, evaluation and files."""

import json

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, DivisiblePadd
from torch import nn

from monai_mtunet.engines import (
    MultiTaskEvaluator,
    MultiTaskPredictor,
    MultiTaskTrainer,
    PanelHandler,
    TaskLossHandler,
)
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer, TaskPostprocessing
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.tasks import BoundingBoxTask, ClassificationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import CheckSampled, FillMissingTargetsd

CLASSES = [f"class {i}" for i in range(7)]
TASKS = TaskList([ClassificationTask("classify", CLASSES), SegmentationTask("segment", ["dark", "bright"])])
SIZE = (8, 6)


class Brightness(nn.Module):
    """Finds the class, 0 to 6, that is nearest to the mean of the image, and its voxels brighter than 3."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        distance = (x.flatten(1).mean(1, keepdim=True) - torch.arange(7.0)).square()
        return {"classify": -self.scale * distance, "segment": self.scale * torch.cat([3 - x, x - 3], 1)}


def sample(brightness, label):
    return {
        "image": torch.full((1, *SIZE), float(brightness)),
        "segment": torch.full((1, *SIZE), int(brightness > 3), dtype=torch.int16),
        "classify": label,
    }


def loader(*labels):
    """Images as bright as their label, as a data list gives them; 6 those without."""
    fill, check = FillMissingTargetsd(TASKS), CheckSampled(len(SIZE), tasks=TASKS)
    data = [sample(6 if label is None else label, label) for label in labels]
    return DataLoader(Dataset(data, Compose([fill, check])), batch_size=2)


def test_network_arguments_follow_from_the_tasks():
    assert TASKS.out_channels == {"segment": 2}
    assert TASKS.out_features == {"classify": 7}
    assert TASKS.label_classes == {"segment": 2}
    assert TASKS.image_classes == {"classify": 7}


def test_missing_labels_are_filled_in_any_order():
    for labels in ((2, None), (None, 2)):
        (batch,) = loader(*labels)
        assert batch["classify"].dtype == torch.int64
        assert batch["classify"].tolist() == [[-1 if label is None else label] for label in labels]


@pytest.mark.parametrize("label", [7, -2, [1, 2]])
def test_wrong_labels_are_refused_at_loading_with_their_file(label):
    image = MetaTensor(torch.rand(1, *SIZE), meta={"filename_or_obj": "cat.png"})
    message = r"classify of image \(cat\.png, 8 x 6\) is \[.*one of its 7 classes, 0\.\.6, or -1 for none"
    with pytest.raises(ValueError, match=message):
        CheckSampled(2, tasks=TaskList(TASKS, "classify"))({"image": image, "classify": torch.tensor(label)})


def test_trains():
    network = Brightness()
    loss = MultiTaskLoss(TASKS.losses())
    trainer = MultiTaskTrainer(
        tasks=TASKS,
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=loader(0, None, 5, 6),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=loss,
        train_handlers=[TaskLossHandler(loss)],
    )
    trainer.run()
    assert network.scale > 1  # it is right, so confidence pays
    assert 0 < trainer.state.metrics["loss_classify"] < 1


def test_evaluates_and_draws(tmp_path):
    evaluator = MultiTaskEvaluator(
        tasks=TASKS,
        device=torch.device("cpu"),
        val_data_loader=loader(0, None, 5, 6),
        network=Brightness(),
        key_val_metric=TASKS.metrics(2, "classify_accuracy"),
        val_handlers=[PanelHandler(TASKS, tmp_path)],
    )
    evaluator.run(1)
    assert evaluator.state.best_metric == 1
    assert evaluator.state.metrics["classify_top5_error"] == 0
    assert (tmp_path / "epoch_0001.png").is_file()


@pytest.mark.parametrize("size", [SIZE, (8, 6, 5)])
def test_infers_to_json_beside_the_dense_tasks_files(tmp_path, size):
    preprocessing = Compose([DivisiblePadd("image", k=4, value=4.0)])  # to be undone of the dense task only
    image = MetaTensor(torch.full((1, *size), 4.0), meta={"filename_or_obj": "a/cat.01.png"})
    evaluator = MultiTaskPredictor(
        tasks=TASKS,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset([{"image": image}], preprocessing), batch_size=1),
        network=Brightness(),
        inferer=MultiTaskSlidingWindowInferer(roi_size=[-1] * len(size)),
        postprocessing=TaskPostprocessing(TASKS, tmp_path, preprocessing),
    )
    evaluator.run()
    dense = "cat.01_segment.png" if len(size) == 2 else "cat.01_segment.nii.gz"
    assert {file.name for file in tmp_path.iterdir()} == {"cat.01_classify.json", "cat.01_panel.png", dense}
    content = json.loads((tmp_path / "cat.01_classify.json").read_text())
    assert (content["class"], content["number"]) == ("class 4", 4)
    assert len(content["probabilities"]) == 7


@pytest.mark.parametrize("arguments", [{}, {"buffer_steps": 2, "buffer_dim": -1}], ids=["unbuffered", "buffered"])
@pytest.mark.parametrize("dense", [True, False])
def test_sliding_windows_average_each_images_vectors(arguments, dense):
    def network(x):
        predictions = {"mean": x.mean((2, 3)), "same": x}
        return predictions if dense else {"mean": predictions["mean"]}

    image = torch.rand(3, 2, 16, 8, generator=torch.Generator().manual_seed(0))
    tasks = [ClassificationTask("mean", ["dark", "bright"])]
    inferer = MultiTaskSlidingWindowInferer(roi_size=(8, 4), sw_batch_size=3, overlap=0, tasks=tasks, **arguments)
    result = inferer(image, network)
    assert list(result) == (["mean", "same"] if dense else ["mean"])
    torch.testing.assert_close(result["mean"], image.mean((2, 3)))  # windows of one size that cover it once
    if dense:
        torch.testing.assert_close(result["same"], image)


@pytest.mark.parametrize("roi_size", [(8, 6), (24, 16), (16, 32)], ids=["windows", "padded", "padded along one axis"])
@pytest.mark.parametrize("tasks", [[BoundingBoxTask("box")], []], ids=["box", "unknown task"])
def test_boxes_are_not_made_of_windows(roi_size, tasks):
    calls = []

    def network(x):
        calls.append(x.shape)
        return {"box": x.mean((2, 3)).repeat(1, 4), "same": x}

    inferer = MultiTaskSlidingWindowInferer(roi_size=roi_size, sw_batch_size=1, tasks=tasks)
    window = " x ".join(map(str, roi_size))
    with pytest.raises(ValueError, match=f"Task 'box' predicts .*windows of {window} of an image of 16 x 12 do"):
        inferer(torch.rand(1, 1, 16, 12), network)
    assert len(calls) == 1  # it does not take all windows to find out


@pytest.mark.parametrize("roi_size", [(-1, -1), (16, 12)])
def test_a_window_that_is_the_image_gives_the_networks_own_box(roi_size):
    image = torch.rand(2, 1, 16, 12)
    inferer = MultiTaskSlidingWindowInferer(roi_size=roi_size, tasks=[BoundingBoxTask("box")])
    box = inferer(image, lambda x: {"box": x.mean((2, 3)).repeat(1, 4), "same": x})["box"]
    torch.testing.assert_close(box, image.mean((2, 3)).repeat(1, 4))


def test_recall_of_a_class_is_measured_on_the_images_of_that_class():
    task = ClassificationTask("species", ["cat", "big dog", "bird"], recall=True)
    metrics = task.metrics(2)
    output = {
        "pred": {"species": torch.eye(3)[[0, 1, 1, 0, 0]]},
        "label": {"species": torch.tensor([[0], [0], [1], [1], [-1]])},
    }
    values = {}
    for name, metric in metrics.items():
        if "recall" in name:
            metric.update(metric._output_transform(output))
            values[name] = metric.compute()
    assert values["species_recall_cat"] == 0.5
    assert values["species_recall_big_dog"] == 0.5
    assert values["species_recall_bird"] != values["species_recall_bird"]  # NaN: no bird to find
    assert "species_recall_cat" not in ClassificationTask("species", ["cat", "dog"]).metrics(2)
