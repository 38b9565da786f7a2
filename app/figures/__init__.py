"""Figures: pure functions from frames to plotly figures. They place and colour; they never calculate a number."""
