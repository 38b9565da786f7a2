"""The texts of the dashboard, by where they stand."""
