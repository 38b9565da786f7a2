"""The meaning: models, metrics, filters, and the one way to ask."""
