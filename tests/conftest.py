import os

import pytest

pytest_plugins = ["bed.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked long waits for scripts/test --long."""
    if not os.environ.get("CERTKEEPER_LONG"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: runs with scripts/test --long"))
