"""Records of a clinic or a health system: tables of fills and the OMOP common data model, read into doses, lazily.

    fills = painlab.records.read("fills.csv")
    print(painlab.records.coverage(fills))
    weekly = painlab.records.weekly_mme(fills, factors="CDC 2022")
    painlab.records.demand(weekly, people=12_000)

Every row of a table is either counted or listed with its row number and the reason.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from painlab.records.accounting import Coverage, coverage, problems
    from painlab.records.cdm import Omop, omop
    from painlab.records.cells import date_order, day, number
    from painlab.records.doctor import Examination, examine
    from painlab.records.drugs import recognize
    from painlab.records.export import write_csv
    from painlab.records.fills import read
    from painlab.records.mme import daily_mme, demand, weekly_mme
    from painlab.records.sample import sample_fills
    from painlab.records.tabular import Layout, scan, sniff

__all__ = [
    "Coverage", "Examination", "Layout", "Omop", "coverage", "daily_mme", "date_order", "day", "demand", "examine", "number", "omop",
    "problems", "read", "recognize", "sample_fills", "scan", "sniff", "weekly_mme", "write_csv",
]  # fmt: skip

_HOMES = {
    "Coverage": "accounting", "Examination": "doctor", "Layout": "tabular", "Omop": "cdm", "coverage": "accounting", "daily_mme": "mme",
    "date_order": "cells", "day": "cells", "demand": "mme", "examine": "doctor", "number": "cells", "omop": "cdm", "problems": "accounting",
    "read": "fills", "recognize": "drugs", "sample_fills": "sample", "scan": "tabular", "sniff": "tabular", "weekly_mme": "mme",
    "write_csv": "export",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is first used, so that the import stays quick."""
    if name in _HOMES:
        return getattr(import_module(f"painlab.records.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'painlab.records' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
