"""Training code of Hilum's models: data, preprocessing, networks, export and metrics."""
import os

# Before torch loads its OpenMP library: threads that wait must sleep, or two processes on a small machine
# slow each other down fivefold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
