"""Rounds: every contender once, then all again, so that a noisy minute meets them all."""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from .generator import Sample


@dataclass(frozen=True)
class Contender:
    """One who takes part. `run` measures it once; `prepare` comes before each round."""

    label: str
    run: Callable[[], Sample]
    prepare: Callable[[], None] = lambda: None


@dataclass
class Results:
    """The samples of one work, by contender and round."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def median(self, label: str, figure: str) -> float | None:
        """The median of one figure of a contender, over all rounds."""
        values = [getattr(sample, figure) for sample in self.samples[label]]
        if any(value is None for value in values):
            return None
        return statistics.median(values)

    def ratios(self, above: str, below: str, figure: str) -> list[float] | None:
        """Round by round, a figure of one contender divided by that of another.

        None when one of them did not take part, or the figure could not be measured: a clock that
        counts in 10 ms shows nothing for a server that did next to nothing.
        """
        if above not in self.samples or below not in self.samples:
            return None
        pairs = [
            (getattr(a, figure), getattr(b, figure))
            for a, b in zip(self.samples[above], self.samples[below])
        ]
        if any(a is None or not b for a, b in pairs):
            return None
        return [a / b for a, b in pairs]


def run_rounds(work: str, contenders: list[Contender], rounds: int) -> Results:
    """Runs all rounds. Each begins with another contender."""
    results = Results({contender.label: [] for contender in contenders})
    for number in range(rounds):
        print(f"{work}, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        start = number % len(contenders)
        for contender in contenders[start:] + contenders[:start]:
            contender.prepare()
            results.samples[contender.label].append(contender.run())
    return results
