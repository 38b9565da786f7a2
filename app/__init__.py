"""The view: a Dash app that reads published snapshots only."""
