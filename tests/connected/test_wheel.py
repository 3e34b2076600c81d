"""The wheel is the program: it holds all that the tree holds, and runs away from the checkout."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from house import CHECKOUT, ROOTS

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

PAGES = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")
NOT_SHIPPED = (".py", ".pyc", ".md")


def run(*command: str, cwd: Path, **variables: str) -> str:
    """Run a program to its end and return what it said; fails with all of it when the program does."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}"
    return done.stdout


def tree_files() -> set[str]:
    """Return each file of the tree that belongs in the wheel, by its name there."""
    return {
        f"hybridmesh/{path.relative_to(CHECKOUT).as_posix()}"
        for root in ROOTS
        for path in (CHECKOUT / root).rglob("*")
        if path.is_file() and (path.suffix == ".py" or path.suffix not in NOT_SHIPPED)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that the checkout stays as it is and an old build leaves nothing in it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for root in ROOTS:
        shutil.copytree(CHECKOUT / root, source / root, ignore=shutil.ignore_patterns("__pycache__"))
    for page in PAGES:
        shutil.copy(CHECKOUT / page, source / page)
    run(sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--quiet", "--wheel-dir", str(folder), cwd=source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program as the wheel holds it, and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet")
    run(*pip, "--target", str(target), str(wheel), cwd=target)
    return target


def test_the_wheel_holds_the_whole_tree(wheel: Path) -> None:
    """It runs on what you have: no module and no data file is left behind, and nothing else comes along."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert sorted(tree_files() - names) == []
    assert sorted(names - tree_files()) == []


def test_the_wheel_takes_nobodys_name(installed: Path) -> None:
    """It runs on what you have: beside ``hybridmesh`` nothing is installed that another package could own."""
    assert {path.name for path in installed.iterdir() if path.suffix != ".dist-info"} <= {"hybridmesh", "bin"}


def test_every_module_can_be_found_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """It runs on what you have: the installed program imports its own files, not those of the checkout."""
    names = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in sorted(tree_files())
        if name.endswith(".py") and not name.endswith("__main__.py")
    ]
    script = (
        "import importlib.util, pathlib, sys\n"
        "home = pathlib.Path(sys.argv[1]).resolve()\n"
        "for name in sys.argv[2:]:\n"
        "    spec = importlib.util.find_spec(name)\n"
        "    assert spec and spec.origin and pathlib.Path(spec.origin).resolve().is_relative_to(home), (name, spec)\n"
    )
    run(sys.executable, "-P", "-c", script, str(installed), *names, cwd=tmp_path, PYTHONPATH=str(installed))


def test_the_command_line_runs_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """It runs on what you have: the installed command starts, and says which version it is."""
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    where = "import hybridmesh.infra.cli as cli; print(cli.__file__)"
    found = run(sys.executable, "-P", "-c", where, cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(found.strip()).is_relative_to(installed)
    said = run(sys.executable, "-P", "-m", "hybridmesh.infra", "--version", cwd=tmp_path, PYTHONPATH=str(installed))
    assert version in said


def test_the_documents_come_along(installed: Path, tmp_path: Path) -> None:
    """Nothing is hidden: the published contract in the wheel is the one that the wheel's code would write."""
    check = (sys.executable, "-P", "-m", "hybridmesh.infra.documents", "--check")
    run(*check, cwd=tmp_path, PYTHONPATH=str(installed))
