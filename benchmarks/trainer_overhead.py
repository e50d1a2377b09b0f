"""What MONAI's trainer costs, as the UMC bundle configures it, over a bare PyTorch loop."""

import copy
import io
import logging
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

import torch
import torch.nn.functional as F
from monai.bundle import ConfigParser
from paired_runs import arguments, paired_times, print_environment, print_ratio
from torch import Tensor, nn

CONFIGURATION = Path(__file__).parents[1] / "bundles" / "umc" / "train.json"
NO_VALIDATION = {"val_interval": 10**6, "val_data": "$monai_mtunet.data.synthetic_datalist(1, 'val')"}
NETWORKS = {
    "tiny": {"features": [4, 8, 16], "batch_size": 4, "load#0#spatial_size": 32},
    "medium": {},  # the bundle's own
}


class BareLoop:
    """Epochs of training on plain tensors, with a checkpoint at the end of each, as the trainer has.

    Args:
        network: trained with Adam.
        loss_function: (predictions, targets) -> 0-d tensor.
        loader: batches with an image and each target under its task's name.
        checkpoint: file of the checkpoint.
    """

    def __init__(self, network: nn.Module, loss_function, loader, checkpoint: Path) -> None:
        self.network, self.loss_function, self.loader, self.checkpoint = network, loss_function, loader, checkpoint
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def __call__(self) -> None:
        """Train for one epoch."""
        self.network.train()
        for batch in self.loader:
            image = batch["image"].as_tensor()
            targets = {"denoise": batch["denoise"].as_tensor(), "segment": batch["segment"].as_tensor().long()}
            self.optimizer.zero_grad(set_to_none=True)
            self.loss_function(self.network(image), targets).backward()
            self.optimizer.step()
        torch.save({"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}, self.checkpoint)


def torch_loss(predictions: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
    """The bundle's losses in plain PyTorch, for targets without missing values."""
    regression = F.mse_loss(predictions["denoise"], targets["denoise"])
    return regression + F.cross_entropy(predictions["segment"], targets["segment"].squeeze(1))


def compare(name: str, overrides: dict, samples: int, pairs: int, folder: Path) -> None:
    parser = ConfigParser()
    parser.read_config(str(CONFIGURATION))
    train_data = f"$monai_mtunet.data.synthetic_datalist({samples}, 'train')"
    parser.update({"output_dir": str(folder), "train_data": train_data, **NO_VALIDATION, **overrides})
    trainer = parser.get_parsed_content("train#trainer")
    network, loss, loader = (parser.get_parsed_content(key) for key in ("network", "loss", "train#dataloader"))

    def trainer_epoch() -> None:
        trainer.state.max_epochs = trainer.state.epoch + 1
        with redirect_stderr(io.StringIO()):  # the progress bar is drawn, but not shown
            trainer.run()

    def load() -> None:
        for _ in loader:
            pass

    runs = {
        "trainer": trainer_epoch,
        "bare loop": BareLoop(copy.deepcopy(network), copy.deepcopy(loss), loader, folder / "bare.pt"),
        "torch's losses": BareLoop(copy.deepcopy(network), torch_loss, loader, folder / "torch.pt"),
        "loading": load,
    }
    times = paired_times(runs, pairs)
    target = 1.05 if name == "medium" else None
    print_ratio(f"{name}: trainer / bare loop", "time", times["trainer"], times["bare loop"], target)
    print_ratio(f"{name}: trainer / bare loop with torch's losses", "time", times["trainer"], times["torch's losses"])
    print_ratio(f"{name}: data loading / bare loop", "time", times["loading"], times["bare loop"])


def main() -> None:
    args = arguments(__doc__)
    logging.disable(logging.WARNING)
    print_environment()
    for name, overrides in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            tiny = NETWORKS["tiny"] if args.quick else {}
            compare(name, {**overrides, **tiny}, 8 if args.quick else 64, args.pairs, Path(folder))


if __name__ == "__main__":
    main()
