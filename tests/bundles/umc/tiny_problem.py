"""A still smaller problem: what is tested is how losses are combined."""

from typing import Any

# Two batches per epoch, never validated; a learning rate that does not depend on the number of epochs.
TINY: dict[str, Any] = {
    "train_data": "$monai_mtunet.data.synthetic_datalist(4, 'train')",
    "val_data": "$monai_mtunet.data.synthetic_datalist(1, 'val')",
    "features": [4, 8],
    "batch_size": 2,
    "val_interval": 100,
    "lr_scheduler": {"_target_": "torch.optim.lr_scheduler.ConstantLR", "optimizer": "@optimizer", "factor": 1.0},
}
