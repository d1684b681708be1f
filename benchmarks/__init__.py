"""certkeeper and its peers on one bed. `benchmarks/run` starts it; docs/benchmarks.md says what came of it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if str(ROOT / "tests") not in sys.path:  # the bed and the builders are those of the tests
    sys.path.insert(0, str(ROOT / "tests"))
