"""The configuration: what is accepted, what is refused and in which words, and what is never shown."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from syncd.connectors import REGISTRY
from syncd.connectors.config import StoreConfig
from syncd.errors import ConfigInvalid
from syncd.model import OrderState
from syncd.sandbox import PORTS, Sandbox
from syncd.settings import Settings, example_config, find, load
from syncd.settings.scaffold import Answers, StoreAnswers, config_text, questions, variables
from tests.configs import CANARY, ENVIRON, GOOD, SECRET_LINE, Folder, in_store, swap

EXAMPLE = Path(__file__).parents[2] / "config" / "syncd.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder for a config file."""
    return Folder(tmp_path)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(folder: Folder) -> None:
    """One refusal lists everything that is wrong, each once."""
    text = swap("acme", "7").replace("${SECRET}", "${NONE}") + "timezone: Nowhere\nlgo: {}\n"

    message = folder.refusal(text, {**ENVIRON, "SYNCD_FOO": "1"})

    places = [line.strip().split(":")[0] for line in message.splitlines()]
    assert places[0].startswith("5 faults in the configuration")
    assert places[1:] == [
        "merchant",
        "stores.us-woo.auth.consumer_secret",
        "timezone",
        "lgo",
        "the environment variable SYNCD_FOO is no setting",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "token: ${NONE}",
            'token: the environment variable NONE is not set; set it, or give the path of a file as "tok',
        ),
        ("token_file: none", "token_file: "),
    ],
)
def test_a_missing_secret_is_told_once(folder: Folder, line: str, words: str) -> None:
    """Where one of several secrets will do, one that is not there is the fault, and not its section as well."""
    store = f"stores:\n  a:\n    platform: shopify\n    url: acme\n    auth:\n      {line}\n"

    message = folder.refusal(f"version: 1\nmerchant: acme\n{store}")

    assert message.startswith("one fault")
    assert f"stores.a.auth.{words}" in message


def test_a_good_configuration_gives_what_it_says_and_defaults(folder: Folder) -> None:
    """Values are typed, defaults fill in, and relative paths begin at the file's folder."""
    settings = folder.load()

    store = settings.store("us-woo")
    assert (settings.merchant, settings.currency, settings.timezone) == ("acme", "EUR", "UTC")
    assert isinstance(store, REGISTRY["woocommerce"][0])
    assert store.sweep.every == timedelta(hours=24)
    assert store.push.mode == "review"
    assert settings.database.url == f"sqlite:///{folder.path}/data/syncd.db"
    assert settings.segments == folder.path / "segments.yaml"


def test_yaml_words_stay_words(folder: Folder) -> None:
    """`off`, `NO` and leading zeros are the texts they look like, not YAML 1.1's guesses."""
    settings = folder.load(in_store("push: {mode: off}\ncountry: NO") + "identity: {block: [0049301234]}\n")

    assert settings.stores["us-woo"].push.mode == "off"
    assert settings.stores["us-woo"].country == "NO"
    assert settings.identity.block == ("0049301234",)


def test_stores_can_share_lines_by_anchor(folder: Folder) -> None:
    """YAML's own merge key works: what a store says itself comes before what it takes over."""
    text = GOOD.replace("us-woo:", "us-woo: &shared") + "  eu-woo:\n    <<: *shared\n    url: https://eu.example.com\n"

    settings = folder.load(text)

    assert settings.describe()["stores"]["eu-woo"]["url"] == "https://eu.example.com"  # type: ignore[index]
    assert settings.stores["eu-woo"].platform == "woocommerce"


def test_an_unknown_store_is_refused_with_the_nearest(folder: Folder) -> None:
    """A mistyped store id gets the ids there are, and the nearest."""
    settings = folder.load()

    with pytest.raises(ConfigInvalid, match=r'no store has the id "us-wo"; there are us-woo; did you mean "us-woo"'):
        settings.store("us-wo")


def test_the_environment_overrides_the_file(folder: Folder) -> None:
    """Variables reach every depth, a store's id written with underscores, and fill lists and free keys."""
    environ = {
        **ENVIRON,
        "SYNCD_DATABASE__URL": "sqlite:////var/x.db",
        "SYNCD_STORES__US_WOO__PUSH__BRAKE__MAX_CUSTOMERS": "7",
        "SYNCD_STORES__US_WOO__STREAMS__ORDERS__EVERY": "1h",
        "SYNCD_IDENTITY__BLOCK": '["a@b.example"]',
        "SYNCD_RATES__USD": "0.9",
        "SYNCD_LOG__LEVEL": "debug",
        "SYNCD_TIMEZONE": "",
        "SYNCD_SHARED": "/somewhere",
    }

    settings = folder.load(GOOD, environ)

    store = settings.store("us-woo")
    assert settings.database.url == "sqlite:////var/x.db"
    assert store.push.brake.max_customers == 7
    assert {stream: config.every for stream, config in store.streams.items()} == {"orders": timedelta(hours=1)}
    assert settings.identity.block == ("a@b.example",)
    assert settings.rates == {"USD": Decimal("0.9")}
    assert (settings.log.level, settings.timezone) == ("debug", "UTC")


def test_a_secret_from_the_environment_is_not_literal(folder: Folder) -> None:
    """A secret in an overriding variable is accepted, whatever the address."""
    text = swap("      consumer_secret: ${SECRET}\n", "")

    settings = folder.load(text, {**ENVIRON, "SYNCD_STORES__US_WOO__AUTH__CONSUMER_SECRET": CANARY})

    assert CANARY in settings.secrets()


def test_one_variable_stops_all_pushes(folder: Folder) -> None:
    """SYNCD_PUSH=off wins over every store's own mode."""
    settings = folder.load(in_store("push: {mode: auto}"), {**ENVIRON, "SYNCD_PUSH": "off"})

    assert settings.store("us-woo").push.mode == "off"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9101", "http://localhost", "http://[::1]:80"])
def test_a_literal_secret_may_go_to_this_machine(folder: Folder, address: str) -> None:
    """A sandbox's key may stand in the file."""
    settings = folder.load(swap("https://shop.example.com", address).replace("${SECRET}", CANARY))

    assert CANARY in settings.secrets()


def test_the_wire_decides_where_a_literal_secret_goes(folder: Folder) -> None:
    """With `base_url` on this machine the shop's own address does not matter; the other way round it does."""
    here, there = "http://127.0.0.1:9101", "https://shop.example.com"

    to_here = folder.load(in_store(f"base_url: {here}").replace("${SECRET}", CANARY))
    to_there = folder.refusal(
        in_store(f"base_url: {there}").replace("${SECRET}", CANARY).replace(f"url: {there}", f"url: {here}", 1)
    )

    assert CANARY in to_here.secrets()
    assert "auth.consumer_secret: a secret may stand" in to_there


def test_a_secret_can_come_from_a_file(folder: Folder) -> None:
    """The file's path begins at the config's folder, and its line end is no part of the secret."""
    folder.write("key.txt", f"{CANARY}\n", 0o640)

    settings = folder.load(swap(SECRET_LINE, "consumer_secret_file: key.txt"))

    assert CANARY in settings.secrets()


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (CANARY, 0o644, "is open to other users (mode 0644); run: chmod 600"),
        (CANARY, 0o620, "is open to other users (mode 0620)"),
        ("", 0o600, "must hold the secret in one line"),
        (" \n", 0o600, "must hold the secret in one line"),
        (f"{CANARY}\n{CANARY}\n", 0o600, "must hold the secret in one line"),
    ],
)
def test_a_bad_secret_file_is_refused(folder: Folder, text: str, mode: int, words: str) -> None:
    """A file that others can read, or that holds no single secret, is named with what to do."""
    file = folder.write("key.txt", text, mode)

    message = folder.refusal(swap(SECRET_LINE, "consumer_secret_file: key.txt"))

    assert f"stores.us-woo.auth.consumer_secret_file: {file} {words}" in message
    assert "(line 10)" in message
    assert CANARY not in message


def test_secrets_are_never_shown(folder: Folder) -> None:
    """Neither the description nor the representation holds a secret, a password or a header's pass."""
    text = in_store(f"http: {{headers: {{X-Pass: {CANARY}}}}}") + "database: {url: 'postgresql://u:${SECRET}@db/x'}\n"

    settings = folder.load(text)

    shown = f"{settings.describe()} {settings!r} {settings} {settings.model_dump_json()}"
    assert CANARY not in shown
    assert settings.describe()["database"] == {"url": "postgresql://u:***@db/x"}
    assert {CANARY, f"ck_{CANARY}", f"cs_{CANARY}"} <= set(settings.secrets())


def test_the_policy_is_what_revenue_says(folder: Folder) -> None:
    """Revenue settings, currency and rates reach the database as one policy."""
    text = GOOD + 'rates: {usd: "0.92"}\nrevenue: {excluded_states: [failed], include_tax: false}\n'

    policy = folder.load(text).policy()

    assert policy.excluded_states == {OrderState.FAILED}
    assert (policy.include_tax, policy.include_shipping, policy.currency) == (False, True, "EUR")
    assert policy.rates == {"USD": Decimal("0.92")}


def test_a_missing_file_names_every_place_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a config file the message says where one could stand."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigInvalid) as caught:
        find(None, {})

    assert f"{tmp_path}/syncd.yaml or /etc/syncd/syncd.yaml" in str(caught.value)
    assert "syncd init" in str(caught.value)


def test_a_named_file_comes_before_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config wins over SYNCD_CONFIG, which wins over ./syncd.yaml; a named file that is missing is an error."""
    monkeypatch.chdir(tmp_path)
    for name in ("syncd.yaml", "a.yaml", "b.yaml"):
        (tmp_path / name).touch()

    found = [find(Path("a.yaml"), {"SYNCD_CONFIG": "b.yaml"}), find(None, {"SYNCD_CONFIG": "b.yaml"}), find(None, {})]

    assert [file.name for file in found] == ["a.yaml", "b.yaml", "syncd.yaml"]
    with pytest.raises(ConfigInvalid, match=r"no config file .*none\.yaml"):
        find(None, {"SYNCD_CONFIG": "none.yaml"})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are named by their place."""
    file = tmp_path / "syncd.yaml"
    file.write_bytes(b"merchant: \xff")

    with pytest.raises(ConfigInvalid, match=r"not UTF-8 text \(byte 10\)"):
        load(file, {})


def _example() -> Settings:
    return load(EXAMPLE, {})


def test_the_example_works_as_it_stands() -> None:
    """The commented example loads without any variable, and its stores are the sandbox's."""
    settings = _example()

    served = {store_id: store.base_url or getattr(store, "url", "") for store_id, store in settings.stores.items()}
    assert served == {store_id: f"http://127.0.0.1:{port}" for store_id, port in PORTS.items()}
    assert settings.segments.is_file()


def test_the_example_has_the_sandboxs_keys() -> None:
    """The keys and tokens in the example are those that open the sandbox's shops."""
    admins = [shop.credentials["admin"] for shop in Sandbox(scale=0.01).shops.values()]
    names = ("consumer_key", "consumer_secret", "access_token")

    keys = {getattr(admin, name) for admin in admins for name in names if hasattr(admin, name)}

    assert set(_example().secrets()) == keys


def test_the_example_tells_the_true_defaults() -> None:
    """What the example's full store spells out is what the other store gets by saying nothing."""
    full, short = (_example().stores[store_id] for store_id in ("us-woo", "eu-woo"))

    differing = {name for name, value in full if value != getattr(short, name)}

    assert differing == {"url", "auth"}


def test_the_example_spells_out_the_defaults_of_the_rest() -> None:
    """Outside the stores, what the example says is the default, save for what a merchant must choose."""
    example = _example()
    chosen = {"merchant", "stores", "currency", "rates"}
    anchored = {"database", "segments"}  # the default, made absolute

    differing = {name for name, field in Settings.model_fields.items() if getattr(example, name) != field.default}

    assert differing == chosen | anchored
    assert example.database.url == f"sqlite:///{EXAMPLE.parent}/data/syncd.db"
    assert example.segments == EXAMPLE.parent / "segments.yaml"


def test_the_composition_knows_no_platform() -> None:
    """A platform joins by its entry in the registry: nothing else in the settings names one."""
    places = Path(__file__).parents[2] / "syncd" / "settings"

    named = [file.name for file in places.glob("*.py") if any(platform in file.read_text() for platform in REGISTRY)]

    assert named == []
    assert all(issubclass(model, StoreConfig) and issubclass(model, BaseModel) for model, _ in REGISTRY.values())


@pytest.mark.parametrize("currency", ["", "EUR"])
def test_a_written_file_loads_once_its_variables_are_set(folder: Folder, currency: str) -> None:
    """What `init` writes for any platform is a valid configuration that says what was answered."""
    stores = tuple(_answers(platform) for platform in REGISTRY)
    answers = Answers(merchant='Acme "& Söhne": #1', stores=stores, currency=currency, timezone="Europe/Berlin")
    wanted = [name for store in stores for name in variables(store)]

    folder.write("segments.yaml", "")

    settings = folder.load(config_text(answers), dict.fromkeys(wanted, CANARY))

    assert (settings.merchant, settings.currency, settings.timezone) == (answers.merchant, currency, "Europe/Berlin")
    assert list(settings.stores) == [store.store_id for store in stores]
    assert set(settings.secrets()) == {CANARY}


def test_a_written_file_names_the_variables_it_waits_for(folder: Folder) -> None:
    """Before its variables are set, a written file is refused with exactly their names."""
    store = _answers("woocommerce")
    folder.write("segments.yaml", "")

    message = folder.refusal(config_text(Answers(merchant="acme", stores=(store,))), {})

    assert re.findall(r"variable (\w+) is not set", message) == list(variables(store))
    assert variables(store) == ("MY_WOOCOMMERCE_CONSUMER_KEY", "MY_WOOCOMMERCE_CONSUMER_SECRET")


def test_a_written_file_holds_what_would_do_instead(folder: Folder) -> None:
    """Where a platform takes one of several secrets, the others stand below as comments, and are as good."""
    store = _answers("shopify")
    folder.write("segments.yaml", "")
    text = config_text(Answers(merchant="acme", stores=(store,)))
    token = '      token: "${MY_SHOPIFY_TOKEN}"\n'
    environ = {"MY_SHOPIFY_CLIENT_ID": "app", "MY_SHOPIFY_CLIENT_SECRET": CANARY}

    swapped = text.replace(token, "").replace("# client", "client")

    assert variables(store) == ("MY_SHOPIFY_TOKEN",)
    assert f"{token}      # or instead:\n      # client_id: " in text
    assert set(folder.load(swapped, environ).secrets()) == {CANARY}
    assert "instead" not in config_text(Answers(merchant="acme", stores=(_answers("woocommerce"),)))


def _answers(platform: str) -> StoreAnswers:
    known = {"store_hash": "abc123", "url": "https://shop.example.com"}
    if platform == "shopify":
        known["url"] = "acme"
    values = {name: known[name] for name in questions(platform)}
    return StoreAnswers(store_id=f"my-{platform}", platform=platform, values=values)


@pytest.mark.parametrize("name", ["syncd.yaml", "segments.yaml"])
def test_the_examples_travel_along(name: str) -> None:
    """The example texts are found where syncd is installed from a checkout, as they are in the wheel."""
    text = example_config(name)

    assert text == (EXAMPLE.parent / name).read_text(encoding="utf-8")
