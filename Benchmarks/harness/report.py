"""The report: Markdown tables, and what they say about the goals."""

import statistics
from dataclasses import dataclass, field

from .rounds import Results


@dataclass(frozen=True)
class Goal:
    """One thing we aim at. `values` are the figures measured, by round; None: not measured."""

    when: str
    text: str
    limit: float
    at_least: bool
    values: list[float] | None
    unit: str = ""

    def holds(self) -> bool | None:
        if not self.values:
            return None
        median = statistics.median(self.values)
        return median >= self.limit if self.at_least else median <= self.limit

    def row(self) -> list[str]:
        wanted = f"{'≥' if self.at_least else '≤'} {number(self.limit)}{self.unit}"
        if not self.values:
            return [self.when, self.text, wanted, "not measured", "–"]
        measured = number(statistics.median(self.values)) + self.unit
        if len(self.values) > 1:
            measured += f" ({number(min(self.values))} to {number(max(self.values))})"
        return [self.when, self.text, wanted, measured, "yes" if self.holds() else "no"]


@dataclass
class Report:
    """Collects paragraphs and goals in the order in which the works end."""

    parts: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        self.parts.append(f"### {text}")

    def paragraph(self, text: str) -> None:
        self.parts.append(text)

    def table(self, header: list[str], rows: list[list[str]]) -> None:
        self.parts.append(table(header, rows))

    def failed(self, work: str, problem: Exception) -> None:
        """Notes that a work could not be finished; the run then ends with status 1."""
        self.failures.append(f"work {work} failed: {problem}")
        self.parts.append(f"**Work {work} failed:**\n\n```\n{problem}\n```")

    def contenders(self, results: Results, names: dict[str, str], ours: str) -> None:
        """The table of a work: medians of each contender, and our rate divided by theirs."""
        rows = []
        for label in results.samples:
            cpu = results.median(label, "cpu_microseconds")
            ratios = results.ratios(ours, label, "messages_per_second")
            rows.append([
                names.get(label, label),
                number(results.median(label, "messages_per_second")),
                number(results.median(label, "p50_microseconds") / 1000),
                number(results.median(label, "p99_microseconds") / 1000),
                number(cpu) if cpu is not None else "–",
                number(results.median(label, "generator_cpu_share") * 100) + " %",
                spread(ratios) if label != ours else "1",
            ])
        header = ["", "messages/s", "p50 ms", "p99 ms", "server CPU µs a message", "generator CPU"]
        self.table([*header, f"{ours} ÷ this, messages/s"], rows)

    def goals_table(self) -> str:
        header = ["", "Goal", "Wanted", "Measured (lowest to highest round)", "Holds"]
        return table(header, [goal.row() for goal in self.goals])


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are numbers or short."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def number(value: float) -> str:
    """Three significant digits, with commas between thousands."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.3g}"


def spread(values: list[float] | None) -> str:
    """The median, with the lowest and highest where there are several."""
    if not values:
        return "–"
    median = number(statistics.median(values))
    if len(values) == 1:
        return median
    return f"{median} ({number(min(values))} to {number(max(values))})"
