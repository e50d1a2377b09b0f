"""What runs beside training, validation and prediction."""
