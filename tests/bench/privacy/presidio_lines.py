"""Presidio as a program that answers JSON lines; runs in an environment of its own: ``presidio_lines.py MODEL``."""

import json
import sys
from importlib import import_module
from typing import Any


def main(model: str) -> None:
    """Answer each line {"id","text"} with {"id","spans"}, by the default registry over the spaCy model in a folder."""
    engines: Any = import_module("presidio_analyzer.nlp_engine")
    analyzer: Any = import_module("presidio_analyzer")
    suffixes: Any = import_module("tldextract")
    suffixes.extract = suffixes.TLDExtract(suffix_list_urls=(), cache_dir=None)  # its own list: no network while timed
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    engine = engines.NlpEngineProvider(nlp_configuration=configuration).create_engine()
    finder = analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    for line in sys.stdin:
        record = json.loads(line)
        spans = [
            {"start": found.start, "end": found.end, "type": found.entity_type, "score": found.score}
            for found in finder.analyze(record["text"], language="en")
        ]
        sys.stdout.write(json.dumps({"id": record["id"], "spans": spans}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
