"""onnxruntime-genai as a program that answers JSON lines; runs in an environment of its own: ``genai_lines.py FOLDER``.

The path that the mesh used before its own loop: one generator, a static batch, prefixes by ``rewind_to``.
"""

import json
import sys
import time
from importlib import import_module
from typing import Any

STEP = 512  # buffers are sized in steps, so that a similar next prompt fits the kept one


def main(folder: str) -> None:
    """Answer each line with the times of its tokens; prompts of one line have to be of one length."""
    library: Any = import_module("onnxruntime_genai")
    numpy: Any = import_module("numpy")
    config = library.Config(folder)
    options = {"intra_op_num_threads": 2}
    config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
    model = library.Model(config)
    tokenizer = library.Tokenizer(model)
    kept: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        prompts, new, family = asked["prompts"], asked["new"], asked["family"]
        started = time.perf_counter()
        room = -(-(len(prompts[0]) + new) // STEP) * STEP
        if family and kept is not None:
            generator, skip = kept, family
            generator.rewind_to(family)
        else:
            kept = None
            params = library.GeneratorParams(model)
            least = {} if asked["schema"] else {"min_length": len(prompts[0]) + new}
            params.set_search_options(max_length=room, do_sample=False, batch_size=len(prompts), **least)
            if asked["schema"]:
                params.set_guidance("json_schema", asked["schema"])
            generator, skip = library.Generator(model, params), 0
        generator.append_tokens(numpy.array([row[skip:] for row in prompts], numpy.int32))
        times: list[float] = []
        output: list[int] = []
        while len(times) < new and not generator.is_done():
            generator.generate_next_token()
            times.append(time.perf_counter() - started)
            output.append(int(generator.get_next_tokens()[0]))
        kept = generator if family else None
        reply = {
            "times": [times] * len(prompts),
            "text": tokenizer.decode(numpy.array(output, numpy.int32)),
            "counts": [len(times)] * len(prompts),
        }
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
