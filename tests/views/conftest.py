"""What tests of the views may rely on."""

import pytest

import painlab
from painlab import Scenario
from painlab.views import explorer as views
from painlab.views.exploration import Size


@pytest.fixture(autouse=True)
def _alone(no_event_loop: None) -> None:
    """Views are called without an event loop."""


TINY = Size(20, 2)


@pytest.fixture
def plain() -> Scenario:
    """A short scenario of its own, with therapy and no injection."""
    return Scenario.from_dict(
        {
            "name": "plain",
            "title": "Plain",
            "question": "Does it work?",
            "weeks": 8,
            "population": {"condition": "sciatica"},
            "baseline": "usual-care",
            "care": {"physical_therapy": {"start_week": 2, "weeks": 5, "sessions_per_week": 1.5}},
        }
    )


@pytest.fixture
def explorer(plain, monkeypatch, tmp_path):
    """An explorer of the short scenario; without an event loop it answers at once."""
    monkeypatch.setattr(views, "FULL", TINY)
    monkeypatch.setattr(views, "PREVIEW", TINY)
    monkeypatch.chdir(tmp_path)
    return painlab.explore(plain)
