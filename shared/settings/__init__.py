"""The settings: the model, their types, and what is wrong with given ones."""
