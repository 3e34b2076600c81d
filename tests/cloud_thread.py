"""The recording cloud double in a thread of its own, for tests whose mesh outlives one event loop."""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Generator

from cloud_double import CloudDouble, Part, Received, answer

_PERSON = re.compile(r"\[PERSON_[0-9A-Z]+\]")


def polite_reply(request: Received) -> Part:
    """Answer as a support agent would, by the name that it was given, a surrogate; in JSON where that is asked for."""
    person = _PERSON.search(request.json["messages"][0]["content"])
    name = person.group() if person else "customer"
    if "output_config" in request.json:
        return answer(json.dumps({"request": f"The customer asks us to pay {name} back what was taken twice."}))
    return answer(
        f"Dear {name},\n\n"
        "Thank you for your message. We are sorry for the trouble. "
        "It will be looked at free of charge. We will write to you with the next step.\n\n"
        "Kind regards,\nYour customer care team"
    )


@contextlib.contextmanager
def cloud_thread() -> Generator[CloudDouble]:
    """Run a double that answers politely; what it has received can be read from any thread."""
    loop = asyncio.new_event_loop()
    cloud = CloudDouble(polite_reply)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(cloud.__aenter__(), loop).result(10)
        yield cloud
        asyncio.run_coroutine_threadsafe(cloud.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
