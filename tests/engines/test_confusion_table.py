"""Which classes are taken for which: counted over all images, without what is missing."""

import csv
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

import torch
from monai.data import DataLoader, Dataset
from torch import nn

from monai_mtunet.engines import MultiTaskEvaluator
from monai_mtunet.engines.handlers.tables.confusion_table import ConfusionTable
from monai_mtunet.tasks import ClassificationTask, EdgeTask, SegmentationTask, TaskList

from ..losses.two_ranks import on_two_ranks

CLASSES = ["none", "a < b", "c"]


def tasks():
    return TaskList([SegmentationTask("segment", CLASSES), ClassificationTask("kind", ["x", "y"]), EdgeTask("edges")])


class Network(nn.Module):
    """Predicts the classes that its two input channels hold, of voxels and of the image's first voxel."""

    def forward(self, x):
        segment = nn.functional.one_hot(x[:, 0].long(), 3).movedim(-1, 1).float()
        return {"segment": segment, "kind": nn.functional.one_hot(x[:, 1, 0, 0].long(), 2).float(), "edges": x[:, :1]}


def samples():
    generator = torch.Generator().manual_seed(0)
    found = []
    for number in range(3):
        image = torch.stack([
            torch.randint(3, (4, 5), generator=generator), torch.full((4, 5), number % 2)
        ]).float()  # fmt: skip
        labels = torch.randint(3, (1, 4, 5), generator=generator)
        labels[0, 0, :number] = 255
        kind = torch.tensor([[0], [-1], [1]][number])
        found.append({"image": image, "segment": labels, "kind": kind, "edges": torch.zeros(1, 4, 5).long()})
    return found


def tables(folder, data, batch_size=2):
    evaluator = MultiTaskEvaluator(
        tasks=tasks(), device=torch.device("cpu"), val_data_loader=DataLoader(Dataset(data), batch_size=batch_size),
        network=Network(), key_val_metric=tasks().metrics(2, "segment_miou"),
        val_handlers=[ConfusionTable(tasks(), folder)],
    )  # fmt: skip
    evaluator.run()
    first = read(folder)
    evaluator.run()
    assert read(folder) == first  # not those of both epochs together
    return first


def read(folder):
    return {
        path.stem.removeprefix("confusion_"): list(csv.reader(path.open(encoding="utf-8")))
        for path in folder.glob("*.csv")
    }


def expected():
    counts = Counter()
    for sample in samples():
        for true, predicted in zip(sample["segment"].flatten().tolist(), sample["image"][0].flatten(), strict=True):
            if true != 255:
                counts[CLASSES[true], CLASSES[int(predicted)]] += 1
    return counts


def test_pairs_of_classes_are_counted_where_there_is_a_target(tmp_path):
    found = tables(tmp_path, samples())
    assert set(found) == {"segment", "kind"}
    header, *rows = found["segment"]
    assert header == ["true", "predicted", "count"]
    assert {(true, predicted): int(count) for true, predicted, count in rows} == expected()
    assert [true for true, predicted, _ in rows if true == predicted] == CLASSES
    # The second image, predicted as y, has no class.
    assert found["kind"][1:] == [["x", "x", "1"], ["y", "x", "1"], ["y", "y", "0"]]


def test_batches_do_not_matter(tmp_path):
    assert tables(tmp_path / "1", samples(), batch_size=1) == tables(tmp_path / "3", samples(), batch_size=3)


def unequal_shares(rank):
    return tables(Path(mkdtemp()), samples()[:2] if rank == 0 else samples()[2:])


def test_two_ranks_write_the_table_of_one_process(tmp_path):
    both, none = on_two_ranks(unequal_shares, tmp_path)
    assert both == tables(tmp_path / "one", samples())
    assert none == {}


def test_nothing_is_counted_without_classes_or_with_too_many(tmp_path):
    many = ClassificationTask("many", [str(number) for number in range(1001)])
    assert ConfusionTable([EdgeTask("edges"), many], tmp_path).tasks == []
