"""No test reads or fills the cache of whoever runs the tests; none fails because the machine is slow."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_FOLDER: list[tempfile.TemporaryDirectory[str]] = []


def pytest_configure(config: pytest.Config) -> None:
    """A cache folder of its own for each process of the run, and for what it starts."""
    _FOLDER.append(tempfile.TemporaryDirectory(prefix="allocsafe-cache-"))
    os.environ["ALLOCSAFE_CACHE_DIR"] = _FOLDER[0].name


def pytest_unconfigure(config: pytest.Config) -> None:
    while _FOLDER:
        _FOLDER.pop().cleanup()
