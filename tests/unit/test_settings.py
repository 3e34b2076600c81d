"""The settings tree: one order of sources, and an unknown key is named with the nearest known one."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.stores import BUCKET_AGES_S, Bucket
from hybridmesh.infra.settings import load_settings
from hybridmesh.schemas.privacy import Sensitivity


def write(folder: Path, text: str) -> Path:
    path = folder / "mesh.toml"
    path.write_text(text, "utf-8")
    return path


def test_flags_beat_variables_beat_the_file(tmp_path: Path) -> None:
    """It runs on what you have: one order of sources."""
    file = write(tmp_path, "[bus]\nmax_tries = 2\nack_wait_s = 11\ndrain_s = 7\n")
    variables = {"HYBRIDMESH_BUS__MAX_TRIES": "3", "HYBRIDMESH_BUS__ACK_WAIT_S": "12"}
    settings = load_settings({"bus.max_tries": 4}, file=file, environment=variables)
    assert (settings.bus.max_tries, settings.bus.ack_wait_s, settings.bus.drain_s) == (4, 12, 7)


@pytest.mark.parametrize(
    ("text", "place", "near"),
    [
        ("[bus]\nmax_trys = 2\n", "bus.max_trys", "bus.max_tries"),
        ("[buss]\nmax_tries = 2\n", "buss", "bus"),
        ("[profiles.balanced]\nclowd = 'never'\n", "profiles.balanced.clowd", "profiles.balanced.cloud"),
        ("port = 4222\n", "port", "bus.port or metrics.port"),
        ("[bus]\naudit_days = 1\n", "bus.audit_days", "bus.retention.audit_days"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path, text: str, place: str, near: str) -> None:
    """Nothing is hidden: a typo is an error, not a default."""
    with pytest.raises(UsageError) as caught:
        load_settings(file=write(tmp_path, text), environment={})
    assert place in str(caught.value)
    assert near in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", 7 * 24),
        ("[bus]\nmessage_days = 2\n", 48),
        ("[bus]\nmessage_days = 15\n[bus.retention]\nresults_days = 0\n", 15 * 24),
        ("[bus.retention]\nresults_days = 6\n", 72),
        ("[bus.retention]\nresults_days = 0.01\n", 1),
    ],
)
def test_a_signature_counts_no_longer_than_its_repeat_is_known(tmp_path: Path, text: str, hours: float) -> None:
    """Nothing is done twice: while it counts, in both directions, what has become of its task can be looked up."""
    bus = load_settings(file=write(tmp_path, text), environment={}).bus
    assert bus.signed_within == timedelta(hours=hours)
    assert 2 * bus.signed_within <= timedelta(seconds=BUCKET_AGES_S[Bucket.TASKS])


@pytest.mark.parametrize("name", ["nope", "keys", "budget", "bus.quux"])
def test_a_name_that_is_like_none_is_not_guessed_at(name: str) -> None:
    """Nothing is hidden: who is far off reads what there is, and not a setting of another kind."""
    with pytest.raises(UsageError, match="unknown setting") as caught:
        load_settings({name: "1"}, environment={})
    assert caught.value.remedy.startswith("known here: ")


@pytest.mark.parametrize("name", ["plans.workflows", "cache", "models.figures", "bus.server_binary", "data"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_path_is_not_the_current_folder(tmp_path: Path, name: str, value: str) -> None:
    """Nothing private leaves: a folder that nobody named is neither read from nor written to."""
    *section, leaf = name.split(".")
    file = write(tmp_path, "".join(f"[{part}]\n" for part in section) + f'{leaf} = "{value}"\n')
    for flags, place in (({name: value}, None), ({}, file)):
        with pytest.raises(UsageError, match=f"{name} is an empty path"):
            load_settings(flags, file=place, environment={})


def test_an_unknown_variable_is_an_error() -> None:
    """Nothing is hidden."""
    with pytest.raises(UsageError):
        load_settings(environment={"HYBRIDMESH_CLOUD__MODLE": "x"})


def test_a_shipped_profile_keeps_what_is_not_named(tmp_path: Path) -> None:
    """Nothing private leaves: changing a budget does not open the cloud."""
    file = write(tmp_path, "[profiles.secure-research]\nbudget_usd = 1\n[profiles.mine]\nmax_label = 1\n")
    profiles = load_settings(file=file, environment={}).profiles
    assert profiles["secure-research"].cloud == "never"
    assert profiles["secure-research"].budget_usd == Decimal(1)
    assert profiles["mine"].max_label is Sensitivity.INTERNAL


def test_the_cloud_key_is_never_shown() -> None:
    """Nothing private leaves."""
    settings = load_settings(environment={"ANTHROPIC_API_KEY": "sk-ant-canary"})
    assert settings.cloud.api_key is not None
    assert "canary" not in repr(settings)
    assert "canary" not in settings.model_dump_json()


def test_an_empty_variable_is_none() -> None:
    """Nothing is hidden: what a compose file passes on unset is no folder here, and no data lands in it."""
    names = "HYBRIDMESH_DATA", "HYBRIDMESH_PLANS__WORKFLOWS", "HYBRIDMESH_MODELS__FIGURES"
    empty: dict[str, str] = dict.fromkeys(names, "")
    assert load_settings(environment=empty) == load_settings(environment={})


@pytest.mark.parametrize(
    ("text", "flags", "variables", "place"),
    [
        ("[profiles]\nbalanced = 3\n", {}, {}, "profiles.balanced"),
        ("profiles = 3\n", {}, {}, "profiles"),
        ("[[profiles]]\ncloud = 'never'\n", {}, {}, "profiles"),
        ("", {"profiles.x": "3"}, {}, "profiles.x"),
        ("", {"models": "3", "models.threads": "2"}, {}, "models"),
        ("", {"bus": "1"}, {}, "bus"),
        ("", {}, {"HYBRIDMESH_BUS__RETENTION": "1"}, "bus.retention"),
        ("", {"bus.retention": "3", "bus.retention.audit_days": "2"}, {}, "bus.retention"),
        ("", {}, {"HYBRIDMESH_PROFILES": '{"a":1}'}, "profiles"),
        ("", {}, {"HYBRIDMESH_CLOUD": "x", "ANTHROPIC_API_KEY": "k"}, "cloud"),
    ],
)
def test_a_value_where_a_table_belongs_is_named(
    tmp_path: Path, text: str, flags: dict[str, str], variables: dict[str, str], place: str
) -> None:
    """Nothing is hidden: who sets a section as a whole reads how its parts are set."""
    with pytest.raises(UsageError, match="table of settings") as caught:
        load_settings(flags, file=write(tmp_path, text), environment=variables)
    assert str(caught.value).startswith(f"{place} is")
    assert f"{place}.NAME" in caught.value.remedy


@pytest.mark.parametrize("name", ["secure_research", "Secure-Research", "SECURE_RESEARCH"])
def test_a_profile_that_is_named_nearly_like_another_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing private leaves: the strict profile would stay as it was, beside a lax one that nobody asks for."""
    sources: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (f"[profiles.{name}]\nbudget_usd = 1\n", {}, {}),
        ("", {f"profiles.{name}.budget_usd": "1"}, {}),
        ("", {}, {"HYBRIDMESH_PROFILES__SECURE_RESEARCH__BUDGET_USD": "1"}),
    ]
    for text, flags, variables in sources:
        with pytest.raises(UsageError, match="is named like secure-research") as caught:
            load_settings(flags, file=write(tmp_path, text), environment=variables)
        assert "profiles.secure-research" in caught.value.remedy


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    """Nothing is hidden: what cannot be read as settings is named, and is no bug."""
    with pytest.raises(UsageError) as caught:
        load_settings(file=tmp_path, environment={})
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("text", ["[bus\n", "[bus]\nmax_tries = 0\n", "[bus]\nport = 80000\n", "[bus]\nport = -1\n"])
def test_a_bad_file_or_value_is_a_clear_error(tmp_path: Path, text: str) -> None:
    """Nothing is half done."""
    with pytest.raises(UsageError) as caught:
        load_settings(file=write(tmp_path, text), environment={})
    assert caught.value.remedy


def test_a_missing_file_is_an_error_only_when_it_was_named(tmp_path: Path) -> None:
    """It runs on what you have."""
    with pytest.raises(UsageError):
        load_settings(file=tmp_path / "none.toml", environment={})


@pytest.mark.parametrize("label", ["internal", "INTERNAL", "1", 1])
def test_a_label_is_set_by_its_name(label: object) -> None:
    """It runs on what you have: what ``explain`` calls a label, the settings call it too."""
    flags = {"profiles.own.max_label": label, "profiles.own.approve_from_label": label}
    own = load_settings(flags, environment={}).profiles["own"]
    assert own.max_label is own.approve_from_label is Sensitivity.INTERNAL


def test_a_label_that_is_none_is_refused_with_those_that_are() -> None:
    """It runs on what you have: a typo is named."""
    with pytest.raises(UsageError, match=r"max_label.*public, internal, personal, secret"):
        load_settings({"profiles.balanced.max_label": "personel"}, environment={})


@pytest.mark.parametrize(
    ("given", "terms"),
    [
        ("Projekt Falke", ("Projekt Falke",)),
        ("Projekt Falke, Blue Heron,", ("Projekt Falke", "Blue Heron")),
        ('["Falke, Adler & Co.", "Blue"]', ("Falke, Adler & Co.", "Blue")),
        ("", ()),
    ],
)
def test_a_variable_holds_a_list(given: str, terms: tuple[str, ...]) -> None:
    """It runs on what you have: a container has variables and no settings file."""
    assert load_settings(environment={"HYBRIDMESH_PRIVACY__TERMS": given}).privacy.terms == terms
    assert load_settings({"privacy.terms": given}, environment={}).privacy.terms == terms


def test_a_list_that_is_none_is_refused_without_its_words() -> None:
    """Nothing private leaves: terms are private, and stand in no error."""
    with pytest.raises(UsageError, match=r"privacy\.terms") as caught:
        load_settings({"privacy.terms": '["Projekt Falke'}, environment={})
    assert "Falke" not in str(caught.value)
