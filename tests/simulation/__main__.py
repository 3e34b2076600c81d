"""Runs schedules: all of a range on every core, or one seed with its trace.

``python -m simulation`` [--seed N] [--count N] [--within SECONDS] [--first N] [--vanishing]
"""

import argparse
import gc
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from simulation.promises import broken
from simulation.schedule import run

_CHUNK = 100
_BETWEEN_COLLECTIONS = 20


def main() -> int:
    """Return the exit code: 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one, with its trace")
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--within", type=float, help="begin none after so many seconds, and say how many ran")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--vanishing", action="store_true", help="stored messages may vanish in every schedule")
    asked = parser.parse_args()
    if asked.seed is not None:
        return replay(asked.seed, vanishing=asked.vanishing)
    return search(asked.first, asked.count, within_s=asked.within, vanishing=asked.vanishing)


def replay(seed: int, *, vanishing: bool) -> int:
    """Run one schedule and write its trace."""
    outcome = run(seed, vanishing=vanishing, traced=True)
    findings = broken(outcome)
    _say("\n".join(outcome.trace))
    _say("\n".join(findings) if findings else f"seed {seed}: all promises hold")
    return bool(findings)


def search(first: int, count: int, *, within_s: float | None, vanishing: bool) -> int:
    """Run many schedules and name the seeds that break a promise."""
    begun = time.perf_counter()
    failed = ran = 0
    chunks = [range(start, min(start + _CHUNK, first + count)) for start in range(first, first + count, _CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for chunk, findings in zip(chunks, pool.map(partial(check, vanishing=vanishing), chunks), strict=True):
            ran += len(chunk)
            for seed, finding in findings:
                failed += 1
                _say(f"SEED={seed} {finding}")
            if within_s is not None and time.perf_counter() - begun > within_s:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    seconds = time.perf_counter() - begun
    left = f"; the time was up for {count - ran} more" if ran < count else ""
    _say(f"{ran} schedules in {seconds:.0f} s ({ran / seconds:.0f}/s), {failed} of them broke a promise{left}")
    return bool(failed)


def check(seeds: range, *, vanishing: bool = False) -> list[tuple[int, str]]:
    """Return the seeds that break a promise, with the first two things that they break."""
    found: list[tuple[int, str]] = []
    gc.disable()  # what a schedule leaves behind is found at once, and nothing else is looked through for it
    gc.freeze()
    try:
        for seed in seeds:
            findings = broken(run(seed, vanishing=vanishing))
            if findings:
                found.append((seed, "; ".join(findings[:2])))
            if seed % _BETWEEN_COLLECTIONS == 0:
                gc.collect()
    finally:
        gc.unfreeze()
        gc.enable()
    return found


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
