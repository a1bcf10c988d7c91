"""Tests of all that needs no data set. The package comes before torch: it sets how OpenMP waits."""

import hilum_training  # noqa: F401
