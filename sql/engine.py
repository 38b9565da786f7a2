"""What every connection with the engine is told that runs statements of ours."""

from __future__ import annotations

#: DuckDB 2.0.1 takes the bounds of a sum over an outer join from both sides: where one turns out to hold nothing
#: (a filter that its statistics rule out), the sum is taken for 0. A filter on it then drops rows, a sort packs it into
#: a byte (156 came back as -100), a group over it fails. Without statistics nothing is concluded from them; blocks are
#: skipped by them all the same. A test shows the fault, so that it is seen when a version has none.
SOUND = "SET GLOBAL disabled_optimizers = 'statistics_propagation'"
