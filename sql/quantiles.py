"""Quantiles that lie between two ordered values (Hyndman and Fan type 7), as the engine interpolates them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


def interpolated(ordered: npt.NDArray[Any], share: float) -> npt.NDArray[np.float64]:
    """The quantile at a share from 0 to 1 along the last axis, which is in order and not empty."""
    last = ordered.shape[-1] - 1
    place = math.floor(last * share)
    low, high = (ordered[..., each].astype(np.float64) for each in (place, min(place + 1, last)))
    told: npt.NDArray[np.float64] = low + (high - low) * (last * share - place)
    return told
