"""Tests that take long and say again, under other chances or of a whole cluster, what others say: `make test-slow`.

No planted mistake of `tests/mutation` needs them.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

#: `make test` leaves them out; whoever runs pytest by hand does not.
slow = pytest.mark.slow


def first_of(values: Iterable[object]) -> list[object]:
    """Parameters: the first is tested always, those after it where what takes long is."""
    first, *others = values
    return [first, *(pytest.param(other, marks=slow) for other in others)]
