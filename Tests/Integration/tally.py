"""What rounds of tests did, to be added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """How much was done, and what went wrong on purpose."""

    operations: int = 0  # appends that were acknowledged
    messages: int = 0  # messages that are there in the end
    crashes: int = 0  # deaths of processes that were survived
    images: int = 0  # states of a disk after a power loss, or copies of its files, that were checked
    faults: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Tally) -> Tally:
        self.operations += other.operations
        self.messages += other.messages
        self.crashes += other.crashes
        self.images += other.images
        self.faults += other.faults
        return self

    def __str__(self) -> str:
        return (f"{self.operations} appends acknowledged, {self.messages} messages, {self.crashes} crashes, "
                f"{self.images} images, faults: {dict(sorted(self.faults.items()))}")
