"""One hop of a pipeline in a process of its own: ``python hop_process.py KIND HOP URL KEYS``.

It says when it runs, and ends with its standard input.
"""

import asyncio
import sys
from pathlib import Path

from bench.hops import Kind, hop_of


async def main(kind: str, hop: str, url: str, keys: str) -> None:
    """Run the hop for as long as somebody holds the other end."""
    async with hop_of(Kind(kind), int(hop), url, Path(keys)):
        sys.stdout.write("running\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
