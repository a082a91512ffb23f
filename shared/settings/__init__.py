"""The settings: the model, its types, and error messages for invalid values."""
