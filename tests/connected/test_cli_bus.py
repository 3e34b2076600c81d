"""``bus``: a server elsewhere, configured for the mesh's identities, also over TLS with certificates on both sides."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import nats
import nats.errors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nats.aio.client import Client
from nats.aio.msg import Msg

from command_line import run_command
from hybridmesh.bus.client import connect
from hybridmesh.bus.errors import MeshUnavailable, SetupError, UsageError
from hybridmesh.bus.identity import KeyRing, read_identity, read_seed
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.infra.nats.binary import find_binary
from hybridmesh.infra.provision import provision_bus

pytestmark = pytest.mark.connected


def free_port() -> int:
    """Return a port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Authority:
    """A certificate authority for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the mesh's own")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Return the files of a certificate for loopback and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key.public_key())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(address, critical=False).add_extension(identifier, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        clear = serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear))
        return files

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of the mesh."""
    return Authority(tmp_path)


@contextlib.contextmanager
def server(config: Path) -> Generator[None]:
    """Run a server with a configuration."""
    with config.with_suffix(".log").open("wb") as log:
        running = subprocess.Popen([find_binary(None), "-c", config], stdout=log, stderr=log)
    try:
        yield
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture
def tls_url(tmp_path: Path, authority: Authority) -> Iterator[str]:
    """A server as `bus config` configures it, which asks each client for a certificate."""
    port = free_port()
    cert, key = authority.issue("server")
    words = [
        "--keys", str(tmp_path / "keys"), "--listen", f"127.0.0.1:{port}", "--store", str(tmp_path / "js"),
        "--tls-cert", str(cert), "--tls-key", str(key), "--tls-ca", str(authority.file),
        "--out", str(tmp_path / "nats.conf"),
    ]  # fmt: skip
    ran = run_command(["bus", "config"], words)
    assert ran.code == 0, ran.err
    with server(tmp_path / "nats.conf"):
        yield f"nats://127.0.0.1:{port}"


async def until_it_answers(url: str, settings: MeshSettings, keys: Path) -> None:
    """Provision, as soon as the server is there."""
    async with asyncio.timeout(15):
        while True:
            try:
                await provision_bus(url, settings, replicas=1, keys=keys)
            except MeshUnavailable:
                await asyncio.sleep(0.1)
            else:
                return


async def test_a_bus_over_tls_asks_both_sides_for_a_certificate(
    tls_url: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No one gets in: with a certificate of the mesh and a key of the mesh; one of them is not enough."""
    cert, key = authority.issue("client")
    settings = MeshSettings(bus=BusSettings(tls_ca=authority.file, tls_cert=cert, tls_key=key), data=tmp_path / "data")
    await until_it_answers(tls_url, settings, tmp_path / "keys")
    async with connect(tls_url, keys=tmp_path / "keys", settings=settings) as mesh:
        assert await mesh.submit("do it")
    bare = MeshSettings(bus=BusSettings(tls_ca=authority.file), data=tmp_path / "data")
    monkeypatch.setattr("hybridmesh.bus.client._CONNECT_TIMEOUT_S", 3.0)  # none gets in, however long it tries
    with pytest.raises(MeshUnavailable, match=r"asks for a certificate of its own authority: set bus\.tls_cert"):
        async with connect(tls_url, keys=tmp_path / "keys", settings=bare):
            pass


@pytest.mark.usefixtures("impatient")
async def test_a_server_of_another_authority_is_not_spoken_to(tls_url: str, tmp_path: Path) -> None:
    """Nothing private leaves: who stands in the place of the bus hears nothing."""
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    cert, key = other.issue("client")
    settings = MeshSettings(bus=BusSettings(tls_ca=other.file, tls_cert=cert, tls_key=key), data=tmp_path / "data")
    with pytest.raises(MeshUnavailable):
        async with connect(tls_url, keys=tmp_path / "keys", settings=settings):
            pass


async def test_a_bus_elsewhere_is_not_spoken_to_in_the_clear(tmp_path: Path) -> None:
    """Nothing private leaves: a forgotten certificate is an error, not a line in the clear."""
    run_command(["bus", "keys"], ["--keys", str(tmp_path)])
    with pytest.raises(UsageError, match="in the clear"):
        async with connect("nats://bus.example:4222", keys=tmp_path):
            pass
    missing = MeshSettings(bus=BusSettings(tls_ca=tmp_path / "none.pem"))
    with pytest.raises(SetupError, match="certificates"):
        async with connect("nats://bus.example:4222", keys=tmp_path, settings=missing):
            pass


def test_a_rotated_identity_is_trusted_by_its_new_key_and_for_a_while_by_the_old_one(tmp_path: Path) -> None:
    """No one gets in, nothing is lost: what the old key signed is under way; after the next rotation it is history."""
    run_command(["bus", "keys"], ["--keys", str(tmp_path)])
    first = read_identity(tmp_path, "consultant")
    signed = first.sign(b"x")
    seeds = {first.seed}
    for live in (True, False):
        ran = run_command(["bus", "keys"], ["--keys", str(tmp_path), "--rotate", "consultant", "--json"])
        assert ran.json["rotated"] == ["consultant"]
        ring, now = KeyRing.read(tmp_path), read_identity(tmp_path, "consultant")
        assert ring.holds("consultant", now.sign(b"x"), b"x")
        assert ring.holds("consultant", signed, b"x") is live
        assert ring.whole().holds("consultant", signed, b"x")
        assert read_identity(tmp_path / "cloud", "consultant").seed == now.seed
        seeds.add(now.seed)
    assert len(seeds) == 3


async def test_a_server_joins_a_cluster_by_its_certificate_alone(authority: Authority, tmp_path: Path) -> None:
    """No one gets in: a server of strangers, which would hear everything past all accounts, is kept out."""
    keys, (cert, key) = tmp_path / "keys", authority.issue("server")
    between, ports = free_port(), {name: free_port() for name in ("first", "second", "strange")}
    for name in ("first", "second"):
        words = ["--name", name, "--listen", f"127.0.0.1:{ports[name]}", "--store", str(tmp_path / name)]
        words += ["--cluster", f"127.0.0.1:{between if name == 'first' else free_port()}"]
        words += [
            "--route",
            f"nats://127.0.0.1:{between}",
            "--keys",
            str(keys),
            "--out",
            str(tmp_path / f"{name}.conf"),
        ]
        words += ["--tls-cert", str(cert), "--tls-key", str(key), "--tls-ca", str(authority.file)]
        ran = run_command(["bus", "config"], words)
        assert ran.code == 0, ran.err
    route = f'cluster {{ name: hybridmesh, listen: "127.0.0.1:{free_port()}", routes: ["nats://127.0.0.1:{between}"] }}'
    users = "accounts { LOCAL: { users: [{ user: x, password: y }] } }"
    (tmp_path / "strange.conf").write_text(f"listen: 127.0.0.1:{ports['strange']}\n{route}\n{users}\n", "utf-8")
    heard: dict[str, list[bytes]] = {"second": [], "strange": []}
    context = ssl.create_default_context(cafile=authority.file)
    context.load_cert_chain(cert, key)

    async def follow(name: str, client: Client) -> Client:
        async def hear(message: Msg) -> None:
            heard[name].append(message.data)

        await client.subscribe("mesh.>", cb=hear)
        await client.flush()
        return client

    with contextlib.ExitStack() as servers:
        for name in ports:
            servers.enter_context(server(tmp_path / f"{name}.conf"))
        seed = read_seed(keys, "provisioner")
        urls = {name: f"nats://127.0.0.1:{port}" for name, port in ports.items()}
        known = partial(nats.connect, nkeys_seed_str=seed, tls=context, allow_reconnect=False)
        stranger = partial(nats.connect, user="x", password="y", allow_reconnect=False)
        clients = [
            await follow("second", await once_it_answers(partial(known, urls["second"]))),
            await follow("strange", await once_it_answers(partial(stranger, urls["strange"]))),
            await once_it_answers(partial(known, urls["first"])),
        ]
        async with asyncio.timeout(20):
            while not heard["second"]:
                await clients[-1].publish("mesh.step.local.x", b"private")
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        for client in clients:
            await client.close()
    assert heard["strange"] == []


async def once_it_answers(connecting: Callable[[], Awaitable[Client]]) -> Client:
    """Connect, as soon as the server is there."""
    async with asyncio.timeout(15):
        while True:
            try:
                return await connecting()
            except (OSError, nats.errors.Error):
                await asyncio.sleep(0.1)


NO_WAY = (
    ["keys", "--rotate", "stranger"],
    ["config", "--tls-cert", "a.pem"],
    ["config", "--listen", "0.0.0.0:4222"],
    ["config", "--cluster", "0.0.0.0:6222"],
    ["config", "--cluster", "0.0.0.0:6222", "--tls-cert", "a.pem", "--tls-key", "a.key"],
)


@pytest.mark.parametrize("words", NO_WAY)
def test_what_cannot_be_done_is_said(words: list[str], tmp_path: Path) -> None:
    """Nothing is hidden: an unknown name, half a certificate, a port in the clear are errors; no key is changed."""
    ran = run_command(["bus", words[0]], ["--keys", str(tmp_path), *words[1:]])
    assert ran.code == 2
    assert "remedy" in ran.err
    assert not list(tmp_path.iterdir())


def test_the_configuration_goes_to_stdout_as_well(tmp_path: Path) -> None:
    """It runs on what you have: a pipe is enough."""
    ran = run_command(["bus", "config"], ["--keys", str(tmp_path / "keys")])
    conf = tmp_path / "nats.conf"
    conf.write_text(ran.out, "utf-8")
    checked = subprocess.run([find_binary(None), "-t", "-c", conf], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_program_gets_the_configuration_as_json(tmp_path: Path) -> None:
    """It runs on what you have: the text itself, or where it is."""
    keys, conf = ["--keys", str(tmp_path / "keys")], tmp_path / "nats.conf"
    text = run_command(["bus", "config"], keys).out
    assert run_command(["bus", "config", "--json"], keys).json == {"config": text}
    assert run_command(["bus", "config", "--json", "--out", str(conf)], keys).json == {"file": str(conf)}
    assert conf.read_text("utf-8") == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "."], ". is a folder"),
        (["--listen", "4222"], "--listen 4222 is no address"),
        (["--listen", "127.0.0.1:port"], "is no address"),
        (["--listen", "127.0.0.1:99999"], "is no address"),
        (["--cluster", "here"], "--cluster here is no address"),
        (["--route", "b:6222"], "--route is no URL"),
        (["--route", "nats://b:port"], "--route is no URL"),
    ],
)
def test_an_address_that_is_none_is_named_and_no_key_is_made(tmp_path: Path, words: list[str], said: str) -> None:
    """Nothing is half done: a server would refuse the file later, and in other words."""
    ran = run_command("bus", "config", words, "--data", str(tmp_path), "--set", "bus.clear_text=true")
    assert (ran.code, said in ran.err, ran.out) == (2, True, "")
    assert not (tmp_path / "keys").exists()


def test_an_address_may_be_ipv6(tmp_path: Path) -> None:
    """It runs on what you have."""
    words = ["--listen", "[::1]:4222", "--route", "nats://b:6222"]
    assert run_command("bus", "config", words, "--data", str(tmp_path)).code == 0
