import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[3])

if ROOT not in sys.path:  # the benchmarks are no part of the product and are not installed
    sys.path.insert(0, ROOT)
