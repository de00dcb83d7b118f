"""Rows of the benchmark: what they measure, their floors, and how a ratio is made of windows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

CLIENT_BOUND = 0.9
"""Share of one core at which the clients, not the server, decided how much was done."""
ATTEMPTS = 4
"""Windows that may be taken for one that counts."""

Per = Literal["work_per_cpu", "cpu_per_work", "work_per_second"]
Verdict = Literal["aim", "floor", "below"]
Window = Callable[[], Awaitable["Sample"]]


@dataclass(frozen=True, slots=True)
class Gate:
    """What a row promises. `floor` and `aim` are ratios or values, as `what` says."""

    what: str
    floor: float
    aim: float
    higher_is_better: bool

    def verdict(self, value: float) -> Verdict:
        """Which of the two marks a figure reaches."""
        sign = 1 if self.higher_is_better else -1
        if sign * value >= sign * self.aim:
            return "aim"
        return "floor" if sign * value >= sign * self.floor else "below"


@dataclass(frozen=True, slots=True)
class Sample:
    """One window of one subject.

    Attributes:
        work: messages, deltas, clients: what was done in it.
        cpu: seconds that the server's processes used.
        wall: seconds that it lasted.
        client_cpu: seconds that the clients used.
        extra: further figures of the window, such as latencies in ms.
    """

    subject: str
    work: float
    cpu: float
    wall: float
    client_cpu: float
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def client_bound(self) -> bool:
        """Whether the clients were too slow to say anything about the server."""
        return self.client_cpu >= CLIENT_BOUND * self.wall

    @property
    def work_per_cpu(self) -> float:
        return self.work / self.cpu

    @property
    def cpu_per_work(self) -> float:
        return self.cpu / self.work

    @property
    def work_per_second(self) -> float:
        return self.work / self.wall


@dataclass(frozen=True, slots=True)
class Figure:
    """A gate with what was measured over the rounds."""

    gate: Gate
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def verdict(self) -> Verdict:
        """The median decides."""
        return self.gate.verdict(self.median)

    def as_dict(self) -> dict[str, Any]:
        """For the JSON file."""
        measured = {"min": min(self.values), "median": self.median, "max": max(self.values)}
        return {**asdict(self.gate), **measured, "rounds": self.values, "verdict": self.verdict}


class NothingMeasured(Exception):
    """In every attempt the clients were the bottleneck, or nothing was finished at all."""


class Run:
    """One row's run: takes windows in turn, keeps the samples, makes figures of them."""

    def __init__(self, *, rounds: int = 5, seconds: float = 3.0) -> None:
        self.rounds = rounds
        self.seconds = seconds
        self.samples: dict[str, list[Sample]] = {}
        self.figures: list[Figure] = []
        self.notes: list[tuple[str, str]] = []
        self.rejected = 0

    async def alternate(self, windows: Mapping[str, Window]) -> None:
        """Take a window of each subject in turn, A B A B …, once per round."""
        for _ in range(self.rounds):
            for subject, take in windows.items():
                self.add(subject, await self._accepted(subject, take))

    def add(self, subject: str, sample: Sample) -> None:
        """Keep one window."""
        self.samples.setdefault(subject, []).append(sample)

    async def _accepted(self, subject: str, take: Window) -> Sample:
        for _ in range(ATTEMPTS):
            sample = await take()
            if sample.work and not sample.client_bound:
                return sample
            self.rejected += 1
        raise NothingMeasured(f"{subject}: {ATTEMPTS} windows without work or bound by the clients")

    def ratio(self, gate: Gate, subject: str, reference: str, *, per: Per = "work_per_cpu") -> None:
        """Subject ÷ reference, window by window of the same round."""
        pairs = zip(self.samples[subject], self.samples[reference], strict=True)
        values = tuple(getattr(one, per) / getattr(other, per) for one, other in pairs)
        self.figures.append(Figure(gate, values))

    def value(self, gate: Gate, values: float | Sequence[float]) -> None:
        """A gate that is no ratio of windows: a percentile, a count, a size."""
        several = (values,) if isinstance(values, int | float) else tuple(values)
        self.figures.append(Figure(gate, several))

    def median_of(self, subject: str, name: str) -> float:
        """The median of a sample's property or extra figure over the rounds."""
        return median(
            sample.extra[name] if name in sample.extra else getattr(sample, name)
            for sample in self.samples[subject]
        )

    def note(self, what: str, text: object) -> None:
        """A figure without a gate, printed and kept."""
        self.notes.append((what, str(text)))

    @property
    def passed(self) -> bool:
        """Whether every figure reaches its floor; a run that measured nothing has not."""
        return bool(self.figures) and all(figure.verdict != "below" for figure in self.figures)


@dataclass(frozen=True, slots=True)
class Row:
    """A named benchmark."""

    name: str
    title: str
    measure: Callable[[Run], Awaitable[None]]


ROWS: dict[str, Row] = {}
"""Every row by name, in the order of its declaration."""


def row(
    name: str, title: str
) -> Callable[[Callable[[Run], Awaitable[None]]], Callable[[Run], Awaitable[None]]]:
    """Declare a benchmark: a coroutine function that fills a `Run`."""

    def declare(measure: Callable[[Run], Awaitable[None]]) -> Callable[[Run], Awaitable[None]]:
        if name in ROWS:
            raise ValueError(f"two rows are called {name}")
        ROWS[name] = Row(name, title, measure)
        return measure

    return declare
