"""House rules: ``pyproject.toml`` ships what the tree holds; what it does not list is missing in the wheel."""

import tomllib
from pathlib import Path
from typing import Any

from house import CHECKOUT, ROOTS

# Words for readers of the checkout; everything else below the four folders is read by the program.
NOT_SHIPPED = (".py", ".pyc", ".md")


def setuptools_table() -> dict[str, Any]:
    """Return the table ``[tool.setuptools]``."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["tool"]["setuptools"]
    return table


def packages(checkout: Path) -> list[str]:
    """Return the import name of each folder that holds a module, sorted."""
    folders = {path.parent.relative_to(checkout) for root in ROOTS for path in (checkout / root).rglob("*.py")}
    return sorted(".".join(("hybridmesh", *folder.parts)) for folder in folders)


def left_behind(checkout: Path, listed: list[str], patterns: list[str]) -> list[str]:
    """Return the data files that no pattern of package data finds from any listed package, sorted."""
    folders = [checkout.joinpath(*name.split(".")[1:]) for name in listed]
    found = {path for folder in folders for pattern in patterns for path in folder.glob(pattern)}
    data = {
        path
        for root in ROOTS
        for path in (checkout / root).rglob("*")
        if path.is_file() and path.suffix not in NOT_SHIPPED
    }
    return sorted(path.relative_to(checkout).as_posix() for path in data - found)


def paste(names: list[str]) -> str:
    """Return the list as it has to stand in ``pyproject.toml``."""
    return "\npackages = [\n" + "".join(f'    "{name}",\n' for name in names) + "]"


def test_every_folder_with_modules_is_a_listed_package() -> None:
    """It runs on what you have: what works in the checkout works from the wheel."""
    names = packages(CHECKOUT)
    assert sorted(setuptools_table()["packages"]) == names, f"paste into [tool.setuptools]:{paste(names)}"


def test_each_root_is_mapped_to_its_folder() -> None:
    """It runs on what you have: no package takes the name of another one, ``agents`` above all."""
    assert setuptools_table()["package-dir"] == {f"hybridmesh.{root}": root for root in ROOTS}


def test_every_data_file_is_package_data() -> None:
    """It runs on what you have: a file that the program reads is not left behind."""
    table = setuptools_table()
    left = left_behind(CHECKOUT, table["packages"], table["package-data"]["*"])
    endings = sorted({Path(path).suffix for path in left})
    assert left == [], f'[tool.setuptools.package-data] "*" needs {[f"**/*{ending}" for ending in endings]}'


def test_the_rules_see_what_is_new(tmp_path: Path) -> None:
    """Nothing is hidden: a new folder of modules and a new data file are found, a page for readers is not."""
    for root in ROOTS:
        (tmp_path / root).mkdir()
    for name in ("bus/a.py", "bus/deep/inner/b.py", "infra/demo/c.csv", "infra/d.yaml", "schemas/notes/e.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert packages(tmp_path) == ["hybridmesh.bus", "hybridmesh.bus.deep.inner"]
    assert left_behind(tmp_path, ["hybridmesh.infra"], ["*.csv", "*.yaml"]) == ["infra/demo/c.csv"]
    assert left_behind(tmp_path, ["hybridmesh.infra"], ["**/*.csv", "**/*.yaml"]) == []
    assert left_behind(tmp_path, ["hybridmesh.bus"], ["**/*.csv"]) == ["infra/d.yaml", "infra/demo/c.csv"]
    assert paste(["hybridmesh.bus"]) == '\npackages = [\n    "hybridmesh.bus",\n]'
