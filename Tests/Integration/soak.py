"""Everything that may lose messages, in real processes, for as long as one likes.

    .venv/bin/python Tests/Integration/soak.py --minutes 30 --json soak.json

Rounds of all parts follow each other: a server killed under load, a disk that fails, power losses, and a storm of
faults on the stand-in for AWS. The first violation ends it, with the command that repeats that round: the same dice,
though not the same timing. A summary is printed at the end, however it ends.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Callable

from aws_store import AWSStore
from emulators import Emulator
from failing_disk import ALL_KINDS, run_failing_disk
from fault_proxy import FaultProxy
from kills import run_kills
from power_loss import run_power_loss
from processes import REPOSITORY, end_all
from storm import run_storm
from tally import Tally

Part = Callable[[Path, random.Random], Tally]


@dataclass
class Soak:
    """Rounds that have been run, and what they found."""

    seed: int
    started: float = field(default_factory=time.monotonic)
    tally: Tally = field(default_factory=Tally)
    rounds: dict[str, int] = field(default_factory=dict)
    violations: list[dict[str, str]] = field(default_factory=list)

    @property
    def minutes(self) -> float:
        """How long it has run."""
        return (time.monotonic() - self.started) / 60

    def run(self, parts: dict[str, Part], minutes: float | None, rounds: int | None, replay: str) -> None:
        """Runs rounds until the time is up, so many are done, or one has failed."""
        self.rounds = dict.fromkeys(parts, 0)
        number = 0
        while (rounds is None or number < rounds) and (minutes is None or self.minutes < minutes):
            # A round has the seed of a soak that begins with it.
            seed = self.seed + number
            name = list(parts)[number % len(parts)]
            number += 1
            try:
                with tempfile.TemporaryDirectory(prefix="soak-") as folder:
                    tally = parts[name](Path(folder), random.Random(seed))
            except Exception as error:  # whatever a round fails with is what it found
                command = f"{replay} --part {name} --seed {seed} --rounds 1"
                self.violations.append({"part": name, "replay": command, "what": f"{type(error).__name__}: {error}"})
                return
            self.tally += tally
            self.rounds[name] += 1
            print(f"{self.minutes:7.1f} min  {name}: {tally}", flush=True)

    def summary(self) -> dict[str, object]:
        """All of it, for a file."""
        return {"minutes": round(self.minutes, 2), "seed": self.seed, "rounds": self.rounds} | asdict(self.tally) | {
            "faults": dict(sorted(self.tally.faults.items())), "violations": self.violations}

    def table(self) -> str:
        """All of it, for a reader."""
        rows = [("minutes", f"{self.minutes:.1f}"), ("seed", self.seed)]
        rows += [(f"rounds of {name}", count) for name, count in self.rounds.items()]
        rows += [("appends acknowledged", self.tally.operations), ("messages", self.tally.messages),
                 ("crashes survived", self.tally.crashes), ("images of disks", self.tally.images),
                 ("faults injected", self.tally.faults.total())]
        rows += [(f"  {kind}", count) for kind, count in sorted(self.tally.faults.items())]
        rows.append(("violations", len(self.violations)))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {value:>10}" for name, value in rows)


def all_parts(stack: ExitStack, size: float, lies: bool) -> dict[str, Part]:
    """The parts, with rounds of a size; what they share starts when it is needed, and ends with the stack."""
    shared: list[Emulator] = []

    def storm(folder: Path, dice: random.Random) -> Tally:
        if not shared:
            log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")), "ministack.log")
            shared.append(Emulator("ministack", log=log))
            stack.callback(shared[0].close)
        with FaultProxy(shared[0].endpoint) as proxy:
            return run_storm(folder, AWSStore.create(shared[0], proxy.endpoint), proxy, dice, seconds=20 * size)

    def power_loss(folder: Path, dice: random.Random) -> Tally:
        return run_power_loss(
            folder, dice, appends=round(2500 * size), images=round(100 * size), served=0 if lies else 2, lies=lies)

    return {
        "kills": lambda folder, dice: run_kills(folder, dice, rounds=round(15 * size)),
        "power-loss": power_loss,
        "failing-disk": lambda folder, dice: run_failing_disk(
            folder, dice, ALL_KINDS, periods=round(10 * size), images=round(50 * size)),
        "storm": storm,
    }


def main(arguments: list[str]) -> int:
    """Runs a soak; returns 1 if it has found anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, help="for how long; the last round is finished (10 unless told)")
    parser.add_argument("--rounds", type=int, help="for how many rounds instead")
    parser.add_argument("--seed", type=int, help="repeats the dice of another soak")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the summary there")
    parser.add_argument(
        "--part", action="append", choices=["kills", "power-loss", "failing-disk", "storm"],
        help="only this part; may be given more than once")
    parser.add_argument("--brief", action="store_true", help="rounds of a fifth of their size")
    parser.add_argument(
        "--lying-disk", action="store_true",
        help="power losses on a disk that flushes nothing: must fail, which shows that this can")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    minutes = options.minutes if options.minutes or options.rounds else 10
    replay = f".venv/bin/python {Path(__file__).relative_to(REPOSITORY)}"
    replay += " --brief" * options.brief + " --lying-disk" * options.lying_disk
    soak = Soak(seed)
    # One that is told to end says what it has done, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {seed}", flush=True)
    try:
        with ExitStack() as stack:
            parts = all_parts(stack, 0.2 if options.brief else 1, options.lying_disk)
            chosen = {name: parts[name] for name in parts if not options.part or name in options.part}
            soak.run(chosen, minutes, options.rounds, replay)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    finally:
        end_all()
        if options.json:
            options.json.write_text(json.dumps(soak.summary(), indent=2) + "\n")
    print(soak.table())
    for violation in soak.violations:
        print(f"\n{violation['part']}: {violation['what']}\n\nrepeat it: {violation['replay']}")
    return 1 if soak.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
