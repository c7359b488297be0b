"""What the folder of a sweep holds: its finished parts, what can be said of the draws that are whole, and the results."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import durable, grids, projection, responses
from painlab.durable import Kind, Manifest, Parts
from painlab.engine import execution
from painlab.engine.execution import ARMS, Part
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.tables import nearest

OF_A_GRID: Final = ("levers.parquet", "summary.parquet", "effects.parquet", "levers.svg", "levers.png")
KIND: Final = Kind("sweep.json", "parts", ("results.parquet", "parameters.parquet", "draws", *OF_A_GRID), "sweep")
MOST_DRAWS: Final = 250  # in one part, for the memory's sake
_ARM: Final = pl.Enum(["baseline", "scenario"])
_OUTCOME: Final = pl.Enum([one.name for one in OUTCOMES])


class Chunk(NamedTuple):
    """What one part holds: patients start ... start + count - 1 of draws first_draw ... first_draw + draws - 1 of a scenario."""

    scenario: str
    first_draw: int
    draws: int
    start: int
    count: int  # type: ignore[assignment]

    @property
    def patients(self) -> int:
        """Patients of all its draws."""
        return self.draws * self.count


def chunks_of(manifest: Manifest) -> list[Chunk]:
    """The parts of a sweep in their order: first draws of all scenarios before later ones, so that what there is can be compared."""
    patients, draws, size = manifest.request["patients"], manifest.request["draws"], manifest.cut["patients"]
    together = min(MOST_DRAWS, max(1, size // patients))
    spans = [(first, min(together, draws - first)) for first in range(0, draws, together)]
    ranges = [(start, min(size, patients - start)) for start in range(0, patients, size)]
    order = manifest.cut["order"]
    return [Chunk(name, first, count, start, people) for first, count in spans for start, people in ranges for name in order]


def frame_of(chunk: Chunk, sums: np.ndarray, present: np.ndarray) -> pl.DataFrame:
    """A part's content, a row for each draw, arm, outcome and week: the sum over patients, in whole units of `engine.layout.SCALES`,
    and the patients present.

    sums: shape (draws, 2 arms, outcomes, weeks + 1); present: shape (draws, weeks + 1).
    """
    shape = sums.shape
    return pl.DataFrame(
        {
            "draw": _along(0, shape, np.int32, chunk.first_draw),
            "arm": pl.Series(_along(1, shape, np.uint8)).cat.to(_ARM),
            "outcome": pl.Series(_along(2, shape, np.uint8)).cat.to(_OUTCOME),
            "week": _along(3, shape, np.int32),
            "sum": sums.ravel(),
            "patients": np.broadcast_to(present[:, None, None], shape).ravel(),
        }
    )


def _along(axis: int, shape: tuple[int, ...], kind: type[np.generic], first: int = 0) -> np.ndarray:
    """The place along one axis, counted from `first`, of every number in an array of this shape, in its order."""
    places = np.arange(first, first + shape[axis], dtype=kind)
    return np.broadcast_to(places.reshape([-1 if other == axis else 1 for other in range(len(shape))]), shape).ravel()


@dataclass(frozen=True)
class Sweep:
    """A sweep as far as it is: `complete` says whether all of it is there, `whole_draws` how much of each scenario.

    finished: numbers of the parts that are there.
    """

    folder: Path
    manifest: Manifest
    finished: frozenset[int]

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All parts, finished or not, in their order."""
        return chunks_of(self.manifest)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenarios."""
        return tuple(self.manifest.cut["order"])

    @property
    def draws(self) -> int:
        """Draws that were asked for."""
        return int(self.manifest.request["draws"])

    @property
    def complete(self) -> bool:
        """Whether every part is finished."""
        return len(self.finished) == len(self.chunks)

    @cached_property
    def whole_draws(self) -> Mapping[str, int]:
        """How many draws of each scenario are whole, counted from the first and up to the first gap."""
        whole = dict.fromkeys(self.names, self.draws)
        for number, chunk in enumerate(self.chunks):
            if number not in self.finished:
                whole[chunk.scenario] = min(whole[chunk.scenario], chunk.first_draw)
        return whole

    def projection(self, name: str) -> Projection:
        """The projection of one scenario's whole draws: what `simulate` gives with so many, and at last with all.

        Raises InputError for an unknown scenario, or while no draw of it is whole.
        """
        means, present = self._means(name)
        request, about = self.manifest.request, self.manifest.about
        first = "" if len(means) == self.draws else f"the first {len(means):,} of "
        made = projection.from_means(
            self.scenario(name),
            means,
            present,
            patients=request["patients"],
            seed=request["seed"],
            weeks=request["weeks"][name],
            cut=tuple(request["links cut"]),
            origin=first + about["parameters"],
            kind=about["parameters_kind"],
        )
        # as it was when the sweep began, whoever reads it now
        then: dict[str, Any] = {key: about[key] for key in durable.made_with()} | {"scenario_sha256": request["scenarios"][name]}
        made.provenance.update(then)
        return made

    @property
    def weekly(self) -> pl.DataFrame:
        """Weekly frames of all scenarios with a whole draw: `name` of the scenario before the columns of `Projection.weekly`."""
        ready = [name for name in self.names if self.whole_draws[name]]
        if not ready:
            raise InputError("no draw of any scenario is whole yet", where=str(self.folder), mend="Let the sweep go on.")
        return pl.concat([self.projection(name).weekly.select(pl.lit(name).alias("name"), pl.all()) for name in ready])

    def means_by_draw(self, name: str) -> pl.DataFrame:
        """Means of each whole draw of a scenario, in the outcome's unit: columns name, draw, outcome, unit, week, baseline, scenario, and
        patients, which is how many were present.
        """
        means, present = self._means(name)
        outcomes, arms = projection.arms_of(self.scenario(name), means, present, self.manifest.request["patients"])
        draws, weeks = present.shape
        shape = (draws, len(outcomes), weeks)
        labels = pl.DataFrame({"outcome": [one.name for one in outcomes], "unit": [one.unit for one in outcomes]})
        places = _along(1, shape, np.int64)
        return pl.DataFrame(
            {
                "draw": _along(0, shape, np.int32),
                "outcome": labels["outcome"].gather(places),
                "unit": labels["unit"].gather(places),
                "week": _along(2, shape, np.int32),
                "baseline": arms[:, 0].ravel(),
                "scenario": arms[:, 1].ravel(),
                "patients": np.broadcast_to(present[:, None], shape).ravel(),
            }
        ).select(pl.lit(name).alias("name"), pl.all())

    def _means(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weekly means and patients present of the whole draws, as `projection.from_means` takes them."""
        if name not in self.names:
            known = ", ".join(self.names)
            raise InputError(f'the sweep has no scenario "{name}"{nearest(name, self.names)}', expected=f"one of {known}")
        draws, weeks = self.whole_draws[name], self.manifest.request["weeks"][name]
        if not draws:
            raise InputError(f"no draw of {name} is whole yet", where=str(self.folder), mend="Let the sweep go on.")
        sums = np.zeros((draws, ARMS, len(OUTCOMES), weeks + 1), dtype=np.int64)
        present = np.zeros((draws, weeks + 1), dtype=np.int64)
        parts = Parts(self.folder, KIND, self.manifest)
        for number, chunk in enumerate(self.chunks):
            if chunk.scenario != name or chunk.first_draw >= draws:
                continue
            frame = parts.read(number, chunk._asdict())
            if frame is None:
                mend = "The same sweep into this folder makes it again."
                raise InputError("a finished part is damaged or gone", where=str(parts.path(number)), mend=mend)
            shape = (chunk.draws, *sums.shape[1:])
            sums[chunk.first_draw : chunk.first_draw + chunk.draws] += frame["sum"].to_numpy().reshape(shape)
            present[chunk.first_draw : chunk.first_draw + chunk.draws] += frame["patients"].to_numpy().reshape(shape)[:, 0, 0]
        means = [execution.means_of(Part(one, there)) for one, there in zip(sums, present, strict=True)]
        return np.array(means), present

    @property
    def levers(self) -> pl.DataFrame | None:
        """Lever values of a grid's scenarios: columns name, `of` (what it was made from), and one for each lever; None of other sweeps."""
        record = self.manifest.about.get("grid")
        return None if record is None else grids.table_of(record)

    @property
    def design(self) -> str:
        """How a grid's values were chosen, `full` or `latin`; an empty text where there is no grid."""
        return str(self.manifest.about.get("grid", {}).get("design", ""))

    @cached_property
    def summary(self) -> pl.DataFrame:
        """Means over the horizon of each scenario with a whole draw: `name`, a grid's columns, and those of `Projection.averages`."""
        made = {name: self.projection(name).averages for name in self.names if self.whole_draws[name]}
        frames = [frame.select(pl.lit(name).alias("name"), pl.all()) for name, frame in made.items() if frame is not None]
        if not frames:
            raise InputError("no draw of any scenario is whole yet", where=str(self.folder), mend="Let the sweep go on.")
        together, levers = pl.concat(frames), self.levers
        if levers is None:
            return together
        first = [*levers.columns, *(column for column in together.columns if column != "name")]
        return together.join(levers, on="name", how="left", maintain_order="left").select(first)

    @cached_property
    def effects(self) -> pl.DataFrame:
        """What each lever of a grid does by outcome (`responses.main_effects`); raises InputError unless it is a grid and complete."""
        levers = self.levers
        if levers is None or not self.complete:
            problem = "the sweep was not made from a grid" if levers is None else "the sweep is not complete"
            raise InputError(problem, where=str(self.folder), expected="a complete sweep of `painlab.grid`")
        arms = []
        for name in self.names:
            means, present = self._means(name)
            outcomes, found = projection.arms_of(self.scenario(name), means, present, self.manifest.request["patients"])
            places = [[one.name for one in outcomes].index(outcome) for outcome in responses.BESIDE]
            arms.append(found[:, :, places].mean(axis=3))
        every = np.array(arms)  # scenarios, draws, arms, outcomes
        means_of = {
            outcome: {"difference": every[:, :, 1, place] - every[:, :, 0, place], "scenario": every[:, :, 1, place]}
            for place, outcome in enumerate(responses.BESIDE)
        }
        return responses.main_effects(levers, self.design, means_of)

    @property
    def sentences(self) -> list[str]:
        """A grid's results in plain sentences; none for other sweeps, or before all is there."""
        levers = self.levers
        return [] if levers is None or not self.complete else responses.sentences(levers, self.design, self.summary, self.effects)

    def scenario(self, name: str) -> Scenario:
        """A scenario as it was when the sweep began."""
        where = f"{self.folder / KIND.manifest}, {name}"
        return Scenario.from_dict(tomllib.loads(self.manifest.about["scenarios"][name]), where=where)

    def write_results(self) -> None:
        """Write `draws/NAME.parquet` for each scenario, what a grid has besides, then `results.parquet`. Raises NotWritten."""
        for name in self.names:
            durable.write_whole(self.folder / "draws" / f"{name}.parquet", durable.parquet(self.means_by_draw(name)))
        levers = self.levers
        if levers is not None:
            of = {"painlab_request": self.manifest.fingerprint()}
            for kind, frame in (("levers", levers), ("summary", self.summary), ("effects", self.effects)):
                durable.write_whole(self.folder / f"{kind}.parquet", durable.parquet(frame, of))
        durable.write_whole(self.folder / "results.parquet", durable.parquet(self.weekly))

    def __str__(self) -> str:
        state = "is complete" if self.complete else "is not complete"
        lines = [f"The sweep in {self.folder} {state}: {len(self.finished):,} of {len(self.chunks):,} parts are finished."]
        lines += [f"{name}: {self.whole_draws[name]:,} of {self.draws:,} draws are whole." for name in self.names]
        return "\n".join(lines)


def read(folder: str | Path) -> Sweep:
    """Read what a sweep's folder holds, while it runs, after it was stopped, or when it is complete. Nothing is changed.

    Raises InputError if no sweep was begun there.
    """
    manifest = durable.read_manifest(Path(folder), KIND)
    parts = Parts(Path(folder), KIND, manifest)
    chunks = chunks_of(manifest)
    finished = frozenset(number for number, chunk in enumerate(chunks) if parts.read(number, chunk._asdict()) is not None)
    return Sweep(Path(folder), manifest, finished)
