"""``bus``: the server's configuration and the identities, for a bus that runs elsewhere than in ``hybridmesh up``."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import tell, write, write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, keys_command
from hybridmesh.infra.cli.names import read_tenant

_LAST_PORT = 65_535

app = typer.Typer(no_args_is_help=True, help="The bus: its server's configuration, and who gets in.")


@app.command()
@keys_command
def config(
    call: Invocation,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it listens.")] = "127.0.0.1:4222",
    store: Annotated[Path, typer.Option(metavar="DIR", help="Where it keeps its streams.")] = Path("jetstream"),
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there, whole or not at all.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="The server's certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The server's private key.")] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who signs the clients' certificates: asks each for one.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="The server's name, its own in a cluster.")] = "hybridmesh",
    cluster: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where it listens to the other servers of a cluster.")
    ] = None,
    route: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="Another server of the cluster, such as nats://b:6222.")
    ] = None,
    accounts_only: Annotated[
        bool, typer.Option("--accounts-only", help="Only accounts and users, to include in a configuration.")
    ] = False,
) -> None:
    """Write the nats.conf of a server that lets in the mesh's identities, each with its own permissions.

    Identities that are missing in the folder of keys are made.
    """
    from hybridmesh.infra.nats.access import ServerPlace, accounts_block, server_config
    from hybridmesh.infra.provision import create_keys, write_public

    if (tls_cert is None) != (tls_key is None) or (tls_ca is not None and tls_cert is None):
        raise UsageError(
            "a certificate without its key", remedy="give both --tls-cert and --tls-key, and --tls-ca if wanted"
        )
    if out is not None and out.is_dir():
        raise UsageError(f"{out} is a folder", remedy="name a file in it, such as --out nats.conf")
    for option, address in (("--listen", listen), ("--cluster", cluster)):
        if address is not None:
            _check_address(option, address)
    for url in route or ():
        _check_route(url)
    clear_text = call.settings.bus.clear_text
    place = ServerPlace(listen, store, tls_cert, tls_key, tls_ca, name, cluster, tuple(route or ()), clear_text)
    text = "" if accounts_only else server_config(place)
    text += accounts_block(create_keys(call.keys_folder))
    if out is not None:
        write_public(out, text)
    if call.json:
        write_json({"config": text} if out is None else {"file": str(out)})
    elif out is None:
        write(text.rstrip("\n"))
    else:
        tell(f"written: {out}")


def _check_address(option: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise UsageError(f"{option} {address} is no address", remedy=f"write it as {option} 127.0.0.1:4222")


def _check_route(url: str) -> None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("nats", "tls") and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        known = False
    if not known:
        raise UsageError("--route is no URL of a server", remedy="write it as --route nats://b:6222")


@app.command()
@keys_command
def keys(
    call: Invocation,
    rotate: Annotated[
        list[str] | None, typer.Option("--rotate", metavar="NAME", help="A new key for this one.")
    ] = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", metavar="NAME", help="Identities that submit for it, and that read its results."),
    ] = None,
) -> None:
    """Make the identities that are missing, and list them; with --rotate a new key for one, with --tenant its own.

    What was signed by the key before is still trusted until the next rotation of that name. A mesh that `hybridmesh up`
    runs on this folder takes it all by itself. Elsewhere write the server's configuration again (`hybridmesh bus
    config`), reload the server, and restart who uses the key. Agents that read this folder take the new public key by
    themselves; where they have a copy, copy ring.json there before the restart.
    """
    from hybridmesh.bus.seats import seats_of
    from hybridmesh.infra.provision import create_keys, rotate_keys

    folder = call.keys_folder
    if rotate:
        rotate_keys(folder, rotate)
    users = create_keys(folder, [read_tenant(name) for name in tenant or ()])
    if call.json:
        write_json({"folder": str(folder), "identities": users, "rotated": rotate or []})
        return
    write_table(("identity", "nkey"), sorted(users.items()))
    for name in rotate or ():
        tell(f"{name} has a new key; `hybridmesh up` takes it, any other server and its {name} have to be told")
    for name in tenant or ():
        tell(f"{' and '.join(seats_of(name))} get in where `hybridmesh up` runs, elsewhere once the server is told")
