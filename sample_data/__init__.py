"""The simulated department and its truth."""
