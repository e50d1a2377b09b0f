"""Dictionary transforms that load and check samples, derive targets and degrade inputs: what MONAI lacks."""

from monai_mtunet.transforms.gaussian_noise import AddGaussianNoise, AddGaussianNoised
from monai_mtunet.transforms.noise import AddNoise, AddNoised
from monai_mtunet.transforms.poisson_noise import AddPoissonNoise, AddPoissonNoised
from monai_mtunet.transforms.rician_noise import AddRicianNoise, AddRicianNoised

__all__ = [
    "AddGaussianNoise",
    "AddGaussianNoised",
    "AddNoise",
    "AddNoised",
    "AddPoissonNoise",
    "AddPoissonNoised",
    "AddRicianNoise",
    "AddRicianNoised",
]
