"""llama.cpp as a program that answers JSON lines; runs in an environment of its own: ``llama_lines.py GGUF ROWS``."""

import json
import sys
import threading
import time
from importlib import import_module
from typing import Any

ROOM = 1024


def main(model: str, rows: int) -> None:
    """Answer each line with the times of its tokens, from a server with as many slots as are asked at once."""
    library: Any = import_module("xllamacpp")
    params = library.CommonParams()
    params.model.path = model
    params.n_parallel, params.n_ctx, params.verbosity = rows, rows * ROOM, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    server = library.Server(params)
    for line in sys.stdin:
        asked = json.loads(line)
        found: list[Any] = [None] * len(asked["prompts"])
        threads = [
            threading.Thread(target=ask, args=(server, asked, number, found)) for number in range(len(asked["prompts"]))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        reply = {
            "times": [times for times, _, _ in found],
            "text": found[0][1],
            "counts": [count for _, _, count in found],
        }
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def ask(server: Any, asked: Any, number: int, found: list[Any]) -> None:  # noqa: ANN401 - a library without types
    """Put the times, text and number of tokens of one prompt into its place."""
    started = time.perf_counter()
    times: list[float] = []
    pieces: list[str] = []
    count = 0

    def hear(chunk: Any) -> bool:  # noqa: ANN401 - as above
        nonlocal count
        if chunk["choices"][0]["finish_reason"] is None:
            times.append(time.perf_counter() - started)
            pieces.append(chunk["choices"][0]["text"])
        else:
            count = chunk["usage"]["completion_tokens"]
        return False

    request = {
        "prompt": asked["prompts"][number],
        "n_predict": asked["new"],
        "temperature": 0,
        "stream": True,
        "cache_prompt": bool(asked["family"]),
    }
    guide = {"json_schema": json.loads(asked["schema"])} if asked["schema"] else {"ignore_eos": True}
    server.handle_completions({**request, **guide}, hear)
    found[number] = (times, "".join(pieces), count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
