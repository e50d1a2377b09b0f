"""What every bundle does alike, as tests that each bundle's test class inherits."""

import csv
import json
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from monai.bundle import ConfigParser, ConfigWorkflow
from monai.handlers import IgniteMetricHandler
from PIL import Image

from monai_mtunet.bundle.metadata import describe_outputs, read_tasks

from .bundle_under_test import BundleUnderTest
from .left_by_a_run import assert_same, checkpoint, logged, measured, network
from .refusing import refusing

# What inference.json says otherwise than train.json: it trains nothing, and its tasks are written out.
APART = {"tasks", "network", "val_data", "held_out_section", "initialize", "run", "finalize"}


class BundleSuite:
    """Inherit, and say what the bundle is trained on and what it leaves.

    `metrics` are some of those that are measured, `written` the files of one image without its name, `unlabeled` the
    targets that samples may lack. `evaluation` are overrides with which evaluation does what validation did, `overlays`
    some that change how images are prepared. `encoder` is what a trained network is started from, `smallest` are
    overrides with which the deepest map is 1 x 1.
    """

    bundle: BundleUnderTest
    metrics: Sequence[str]
    written: Sequence[str]
    unlabeled: Sequence[str] = ("segment",)
    evaluation: ClassVar[Mapping[str, Any]] = {}
    overlays: Sequence[Sequence[str]] = ()
    encoder: str = "encoder"
    smallest: ClassVar[Mapping[str, Any]] = {"load#0#spatial_size": 4}

    def small(self, *names: str, **overrides: Any) -> ConfigParser:
        return self.bundle.parsed("train", *names, **{**self.bundle.small, **overrides})

    @pytest.mark.parametrize(
        ("kind", "names"), [("train", ["train"]), ("train", ["train", "evaluate"]), ("inference", ["inference"])]
    )
    def test_has_the_properties_of_a_zoo_bundle(self, kind: str, names: list[str], tmp_path: Path) -> None:
        small = self.bundle.small if kind == "train" else self.bundle.small_inference
        workflow = ConfigWorkflow(
            self.bundle.configs(*names), workflow_type=kind, output_dir=str(tmp_path), **self.bundle.files, **small
        )
        workflow.initialize()
        assert workflow.check_properties() == []

    def test_train_is_short(self) -> None:
        (file,) = self.bundle.configs("train")
        assert len(Path(file).read_text().splitlines()) <= 120

    def test_inference_repeats_training(self) -> None:
        train, inference = self.bundle.parsed("train"), self.bundle.parsed("inference")
        for item in train.get().keys() & inference.get().keys() - APART:
            assert train[item] == inference[item], item
        assert len(train["tasks"]) == len(inference["tasks"])
        for index in range(len(train["tasks"])):
            made, written = (
                config.get_parsed_content(f"tasks#{index}", instantiate=False).get_config()
                for config in (train, inference)
            )
            assert json.loads(json.dumps(made)) == written  # tuples are lists in JSON

    def test_metadata_tells_what_the_tasks_predict(self) -> None:
        """As `python -m monai_mtunet metadata bundles/<name>` writes it."""
        metadata = json.loads((self.bundle.folder / "metadata.json").read_text())
        outputs = metadata["network_data_format"]["outputs"]
        tasks, spatial_dims = read_tasks(self.bundle.folder)
        assert outputs == describe_outputs(tasks, spatial_dims)
        assert list(outputs) == ["pred", *tasks.names]
        assert outputs["pred"]["num_channels"] == sum(tasks.out_channels.values())

    def test_training_leaves_checkpoints_panels_and_curves(self, trained: Path) -> None:
        names = self.bundle.parsed("train").get_parsed_content("active_tasks").loss_names
        assert {"best.pt", "last.pt"} == {file.name for file in (trained / "checkpoints").iterdir()}
        assert [file.name for file in sorted((trained / "panels").iterdir())] == ["epoch_0001.png", "epoch_0002.png"]
        assert set(self.metrics) <= set(measured(trained, "validation"))
        assert {"loss", *(f"loss_{name}" for name in names), *self.metrics} <= set(logged(trained).Tags()["scalars"])
        with open(trained / "loss_weights.csv") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["epoch"]) for row in rows] == [1, 2]
        for row in rows:
            assert all(math.isfinite(float(row[f"{value}_{name}"])) for value in ("loss", "weight") for name in names)
        assert Image.open(trained / "loss_weights.png").size[0] > 300

    def test_training_ends_with_a_report(self, trained: Path) -> None:
        page = (trained / "report.html").read_text()
        for task in self.bundle.parsed("train").get_parsed_content("active_tasks"):
            assert f'<h2 id="task-{task.name}">' in page
            assert f"<figcaption>{task.name}</figcaption>" in page  # a picture of what it predicts
        assert "could not be drawn" not in page
        assert {"Best", "Worst"} <= set(re.findall("<h3>(Best|Median|Worst): ", page))
        assert len(page) < 3e6

    def test_evaluation_repeats_the_validation_of_the_best_epoch(self, trained: Path, evaluated: Path) -> None:
        key, best = self.bundle.parsed("train")["key_metric_name"], checkpoint(trained, "best")["best_metric"]
        metrics = measured(evaluated)
        assert metrics[key] == pytest.approx(best["value"], abs=1e-6)
        assert set(self.metrics) <= set(metrics)
        assert [file.name for file in (evaluated / "evaluation").glob("*.png")] == ["epoch_0007.png"]

    def test_training_and_evaluation_measure_every_image(self, trained: Path, evaluated: Path) -> None:
        config = self.bundle.parsed("train")
        declared = config.get_parsed_content("active_tasks").metrics(2, config["key_metric_name"])
        # Of the last epoch, and of the best one.
        for folder, stage in ((trained, "validation"), (evaluated, "evaluation")):
            with open(folder / stage / "cases.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            metrics = measured(folder, stage)
            assert list(rows[0]) == ["image", *metrics]
            assert len({row["image"] for row in rows}) == len(rows) == 4
            for name, value in metrics.items():
                cells = [float(row[name]) for row in rows if row[name]]
                assert cells or math.isnan(value), name
                if isinstance(declared[name], IgniteMetricHandler):
                    assert statistics.mean(cells) == pytest.approx(value, rel=1e-4), name

    def test_inference_writes_a_file_per_task_and_a_panel(self, predictions: Path) -> None:
        files = [file.name.partition("_000002_")[2] for file in predictions.iterdir()]
        assert sorted(files) == sorted(self.written)

    def test_resumes_as_if_never_stopped(self, trained: Path, tmp_path: Path) -> None:
        schedule = {"lr_scheduler#T_max": checkpoint(trained)["lr_scheduler"]["T_max"]}
        self.bundle.train(tmp_path, **schedule, max_epochs=1)
        self.bundle.train(tmp_path, **schedule, max_epochs=2, resume=True)
        assert_same(checkpoint(tmp_path), checkpoint(trained))

    def test_early_stopping_by_overlay(self, tmp_path: Path) -> None:
        # No improvement is so large: the second validation is one without.
        overlay = {"patience": 1, "threshold": 1e6, "metric": self.metrics[-1]}
        self.bundle.train(tmp_path, max_epochs=3, early_stopping=overlay)
        saved = checkpoint(tmp_path)
        assert saved["trainer"]["iteration"] == 2 * saved["trainer"]["epoch_length"]
        assert saved["early_stopping"]["metric"] == self.metrics[-1]

    def test_starts_from_trained_weights_that_are_frozen_at_first(self, trained: Path, tmp_path: Path) -> None:
        def unmoved(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
            return {name for name in after if before[name].equal(after[name])}

        options = {"frozen_parts": [self.encoder], "frozen_epochs": 1, "lr_scheduler#T_max": 8}
        given = trained / "checkpoints" / "best.pt"
        self.bundle.train(tmp_path, **options, pretrained=str(given))
        frozen = network(tmp_path)
        encoder = {name for name in frozen if name.startswith(f"{self.encoder}.")}
        assert any(name.endswith("running_mean") for name in encoder)
        assert unmoved(network(trained, "best"), frozen) == encoder
        # The checkpoint wins: what the training started from is not read again.
        self.bundle.train(tmp_path, **options, max_epochs=2, resume=True, pretrained="gone.pt")
        assert unmoved(frozen, network(tmp_path)) == set()

    def test_evaluation_needs_no_pretrained_file(self, trained: Path, tmp_path: Path) -> None:
        self.bundle.evaluate(tmp_path, ckpt_path=str(trained / "checkpoints" / "best.pt"), pretrained="gone.pt")

    def partly_labeled(self, count: int) -> dict[str, str]:
        data = self.bundle.small["train_data"].removeprefix("$")
        return {"train_data": f"$monai_mtunet.data.keep_labels({data}, {list(self.unlabeled)}, count={count})"}

    def test_batches_without_targets_train_on(self, tmp_path: Path) -> None:
        self.bundle.train(tmp_path, **self.partly_labeled(count=1))  # of eight samples, in two batches
        assert all(value.isfinite().all() for value in network(tmp_path).values())

    def test_a_task_without_any_target_is_refused(self, tmp_path: Path) -> None:
        with refusing("has no target in any training sample"):
            self.bundle.train(tmp_path, **self.partly_labeled(count=0))

    def test_maps_of_one_value_are_refused_with_the_remedy(self, tmp_path: Path) -> None:
        with refusing(
            "Batch normalization (", "is 1 x 1, and the batch has one image: take a larger batch_size, larger"
        ):
            self.bundle.train(tmp_path, **{"batch_size": 1, **self.smallest})

    def test_weights_of_tasks_that_are_left_out_are_ignored(self) -> None:
        tasks = self.bundle.parsed("train").get_parsed_content("active_tasks")
        (first, *_), other = tasks.loss_names, tasks.names[-1]
        weights = {first: 0.25, other: 0.25}
        loss = self.bundle.parsed("train", only=first, weights=weights).get_parsed_content("loss")
        assert list(loss.weighting.tasks) == [first]

    def test_weights_of_unknown_tasks_are_refused(self) -> None:
        with refusing("unknown task(s) ['nothing']"):
            self.bundle.parsed("train", weights={"nothing": 0.25}).get_parsed_content("loss")

    def test_overrides_by_id_reach_what_they_name(self) -> None:
        for name in ("max_epochs", "train#trainer#max_epochs"):
            config = self.small(**{"max_epochs": 3, name: 5, "validate#handlers#0#panel_interval": 4})
            trainer, schedule = (config.get_parsed_content(item) for item in ("train#trainer", "lr_scheduler"))
            steps = 1 if config["schedule_by_epoch"] else len(config.get_parsed_content("train#dataloader"))
            # The trainer alone may stop earlier than the schedule is made for.
            assert (trainer.state.max_epochs, schedule.T_max) == (5, (5 if name == "max_epochs" else 3) * steps)
            assert config.get_parsed_content("validate#handlers")[0].handlers[0].interval == 4

    def test_overlays_by_id_take_the_place_of_what_they_name(self) -> None:
        overlay = {
            "train#trainer#_target_": "GradientBalancingTrainer",
            "train#trainer#aggregator": {"_target_": "torchjd.aggregation.Mean"},
        }
        pytest.importorskip("torchjd")
        assert type(self.small(**overlay).get_parsed_content("train#trainer")).__name__ == "GradientBalancingTrainer"
        loader, measures, *_ = self.small("evaluate")["validate#handlers"]
        assert loader["_target_"] == "VerifiedCheckpointLoader"
        assert (measures["_target_"], measures["name"]) == ("ValidationHandlers", "evaluate")

    def test_own_files_are_prepared_as_the_samples_of_training(self) -> None:
        """An overlay "files" changes the samples, and leaves out the degradation, which own images have already."""
        for overlays in ((), *self.overlays):
            assert self.bundle.parsed("inference", *overlays, "files")["val_degrade"] == []
            given, files = (
                self.bundle.parsed("inference", *overlays, *more, val_degrade=[]).get_parsed_content("preprocessing")
                for more in ([], ["files"])
            )
            assert [type(step) for step in files.transforms] == [type(step) for step in given.transforms]
