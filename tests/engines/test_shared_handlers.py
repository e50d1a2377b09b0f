"""What every training and every validation leaves behind, from a run of two small engines."""

import csv
import logging

import pytest
import torch

from monai_mtunet.engines import MultiTaskEvaluator, ValidationHandlers

from .small_run import CPU, EPOCHS, TASKS, Network, Run

TABLES = ("cases.csv", "confusion_segment.csv", "metrics.csv")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of three epochs, and its folder."""
    folder = tmp_path_factory.mktemp("run")
    run = Run(folder, panel_interval=2)
    run.trainer.run()
    return run, folder


class TestTraining:
    def test_it_leaves_checkpoints_curves_and_a_table(self, finished):
        _, folder = finished
        assert {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} == {
            "checkpoints/best.pt",
            "checkpoints/last.pt",
            "loss_weights.csv",
            "loss_weights.png",
            "panels/epoch_0002.png",
            *(f"validation/{folder}{table}" for folder in ("", "best/") for table in TABLES),
            "validation/best/epoch.json",
        }

    def test_checkpoints_hold_all_that_resuming_needs(self, finished):
        run, folder = finished
        saved = torch.load(folder / "checkpoints" / "last.pt", weights_only=True)
        assert set(saved) == {"network", "optimizer", "lr_scheduler", "loss", "trainer", "best_metric"}
        for name, values in run.network.state_dict().items():
            assert torch.equal(saved["network"][name], values)

    def test_the_table_has_a_row_per_epoch_of_what_multiplied_the_losses(self, finished):
        run, folder = finished
        with (folder / "loss_weights.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [row["epoch"] for row in rows] == ["1", "2", "3"]
        assert list(rows[0]) == ["epoch", "weight_denoise", "weight_segment", "loss_denoise", "loss_segment"]
        assert float(rows[-1]["loss_denoise"]) == pytest.approx(run.trainer.state.metrics["loss_denoise"])
        # The weighting has seen each epoch: this one weighs alike until two epochs are over.
        assert rows[0]["weight_denoise"] == rows[1]["weight_denoise"] == "1.0"
        assert rows[2]["weight_denoise"] != "1.0"

    def test_losses_and_weights_go_to_tensorboard_by_iteration_and_epoch(self, finished):
        run, _ = finished
        for name in ("loss", "loss_denoise", "loss_segment", "weight_denoise", "weight_segment"):
            assert run.writer.epochs_of(f"iteration/{name}") == list(range(1, 2 * EPOCHS + 1))
            assert run.writer.epochs_of(name) == [1, 2, 3]

    def test_the_progress_bar_shows_every_task(self, tmp_path, capsys):
        Run(tmp_path, epochs=1).trainer.run()
        shown = capsys.readouterr().err
        assert all(f"loss_{name}=" in shown for name in TASKS.names)

    def test_the_rate_changes_by_epoch_or_by_iteration(self, finished, tmp_path):
        by_epoch, by_iteration = finished[0], Run(tmp_path, epochs=2, schedule_by_epoch=False)
        by_iteration.trainer.run()
        assert by_epoch.rates == [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]
        assert by_iteration.rates == pytest.approx([0.1, 0.05, 0.025, 0.0125])

    def test_validation_every_few_epochs(self, tmp_path):
        run = Run(tmp_path, val_interval=2)
        run.trainer.run()
        assert run.writer.epochs_of("segment_miou") == [2]

    def test_a_resumed_run_ends_as_an_uninterrupted_one(self, finished, tmp_path):
        run, folder = finished
        Run(tmp_path, epochs=2).trainer.run()
        resumed = Run(tmp_path, resume=True)
        resumed.trainer.run()
        assert len(resumed.rates) == 2
        for name, values in run.network.state_dict().items():
            assert torch.equal(resumed.network.state_dict()[name], values), name
        assert (tmp_path / "loss_weights.csv").read_text() == (folder / "loss_weights.csv").read_text()
        assert resumed.evaluator.state.best_metric == run.evaluator.state.best_metric

    def test_another_seed_gives_another_run(self, finished, tmp_path):
        other = Run(tmp_path, seed=1)
        other.trainer.run()
        assert other.trainer.state.metrics["loss"] != finished[0].trainer.state.metrics["loss"]

    def test_labels_that_teach_nothing_are_refused_before_anything_is_learned(self, tmp_path):
        run = Run(tmp_path, labels=255)
        with pytest.raises(ValueError, match="'segment': all training labels are 0 or 255"):
            run.trainer.run()
        assert run.rates == []
        assert list(tmp_path.iterdir()) == []


class TestValidation:
    def test_the_table_holds_every_metric_of_the_last_epoch(self, finished):
        run, folder = finished
        lines = (folder / "validation" / "metrics.csv").read_text().split()
        values = {name: float(value) for name, value in (line.replace("\t", ",").split(",")[:2] for line in lines)}
        assert set(values) == set(TASKS.metrics(2, "segment_miou"))
        for name, value in values.items():
            assert value == pytest.approx(run.evaluator.state.metrics[name], rel=1e-4)

    def test_metrics_and_panels_go_to_tensorboard(self, finished):
        run, _ = finished
        assert run.writer.epochs_of("segment_miou") == run.writer.epochs_of("denoise_psnr") == [1, 2, 3]
        assert run.writer.pictures == [("panel", 2)]

    def test_without_a_writer_there_are_files_alone(self, tmp_path, finished, caplog):
        evaluator = MultiTaskEvaluator(
            tasks=TASKS, device=CPU, val_data_loader=finished[0].evaluator.data_loader, network=Network(),
            key_val_metric=TASKS.metrics(2, "segment_miou"),
            val_handlers=[ValidationHandlers(TASKS, tmp_path / "panels", tmp_path / "scores", name="evaluate")],
        )  # fmt: skip
        log = logging.getLogger("evaluate")  # MONAI's do not propagate
        log.addHandler(caplog.handler)
        evaluator.run()
        log.removeHandler(caplog.handler)
        assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*")} == {
            "panels/epoch_0001.png",
            "scores/cases.csv",
            "scores/confusion_segment.csv",
            "scores/metrics.csv",
        }
        assert "segment_miou: " in caplog.text


@pytest.mark.parametrize("val_interval", [0, -1, 0.5, "each"])
def test_validation_comes_after_whole_epochs(tmp_path, val_interval):
    with pytest.raises(ValueError, match="val_interval must be a whole number of epochs, at least 1"):
        Run(tmp_path, val_interval=val_interval)
