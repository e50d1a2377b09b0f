"""Files of any kind and size, predicted on one machine or many."""

from .predict import PredictionReport
from .predict_files import predict_files
from .predictor import Predictor

__all__ = ["PredictionReport", "Predictor", "predict_files"]
