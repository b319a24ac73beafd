"""For all tests: deterministic properties, and skips that count as failures in CI."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

BROWSER = Path(__file__).parent / "browser"
CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

ALLOWED_SKIPS = re.compile(r"(Windows|macOS|Linux|POSIX) only\b|needs a GPU\b")
"""Reasons for which a test may be skipped in CI: it begins with one of these."""


def pytest_collection_modifyitems(items):
    """Everything in tests/browser is marked so, and comes last: the quick tests fail first."""
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker("browser")
    items.sort(key=lambda item: BROWSER in item.path.parents)


def _refuse_skip(report):
    if not (CI and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not ALLOWED_SKIPS.match(reason):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which CI does not allow: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _refuse_skip(report)
    return report
