"""A good configuration, ways to break it, and a folder to load it from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from syncd.errors import ConfigInvalid
from syncd.settings import Settings, load

CANARY = "s3cr3t-canary"
GOOD = """\
version: 1
merchant: acme
currency: EUR
stores:
  us-woo:
    platform: woocommerce
    url: https://shop.example.com
    auth:
      consumer_key: ${KEY}
      consumer_secret: ${SECRET}
"""
ENVIRON = {"KEY": f"ck_{CANARY}", "SECRET": f"cs_{CANARY}"}


class Folder:
    """A folder with a config file in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Put a file there."""
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    def load(self, text: str = GOOD, environ: Mapping[str, str] = ENVIRON) -> Settings:
        """Load a config text from there."""
        return load(self.write("syncd.yaml", text), environ)

    def refusal(self, text: str, environ: Mapping[str, str] = ENVIRON) -> str:
        """The words in which a config text is refused."""
        with pytest.raises(ConfigInvalid) as caught:
            self.load(text, environ)
        return str(caught.value)


def swap(old: str, new: str) -> str:
    """The good configuration with one piece exchanged."""
    assert old in GOOD
    return GOOD.replace(old, new)


def in_store(lines: str) -> str:
    """The good configuration with more lines in its store, from line 11 on."""
    return GOOD + "".join(f"    {line}\n" for line in lines.splitlines())


SECRET_LINE = "consumer_secret: ${SECRET}"
# What is wrong, and words that the refusal must hold: the place and the remedy.
BROKEN = {
    "unknown key": (GOOD + "curency: EUR\n", ['curency: is not a setting; did you mean "currency"?', "(line 11)"]),
    "unknown key in a store": (in_store("pusch: {mode: auto}"), ["stores.us-woo.pusch", 'did you mean "push"?']),
    "unknown key, nothing near": (GOOD + "log: {x: 1}\n", ["log.x: is not a setting; known here are format, level"]),
    "unknown key in auth": (
        in_store("  consumer_secrit: a"),
        ['mean "consumer_secret"?', "us-woo.auth.consumer_secrit"],
    ),
    "no merchant": (swap("merchant: acme\n", ""), ["merchant: is required"]),
    "empty merchant": (swap("acme", '""'), ["merchant: must not be empty"]),
    "merchant is a number": (swap("acme", "12"), ['merchant: must be text; put it in "quotes"', "(line 2)"]),
    "other version": (swap("version: 1", "version: 7"), ["version: must be 1"]),
    "no stores": (swap(GOOD[GOOD.index("stores:") :], ""), ["stores: is required"]),
    "stores left empty": (swap(GOOD[GOOD.index("stores:") :], "stores: {}"), ["stores: must not be empty"]),
    "stores as a list": (swap(GOOD[GOOD.index("stores:") :], "stores: [a]"), ['stores: must hold "key: value" lines']),
    "a store without lines": (GOOD + "  eu-woo: yes\n", ['stores.eu-woo: must hold "key: value" lines', "(line 11)"]),
    "bad store id": (swap("us-woo", "US_Woo"), ["stores.US_Woo: is no store id", '"us-woo"']),
    "no platform": (swap("    platform: woocommerce\n", ""), ["stores.us-woo.platform: is required; known are"]),
    "unknown platform": (swap("woocommerce", "woocomerce"), ["platform: is not a platform", 'mean "woocommerce"?']),
    "store without url": (swap("    url: https://shop.example.com\n", ""), ["stores.us-woo.url: is required"]),
    "http to the world": (swap("https:", "http:"), ["stores.us-woo: url must be https", "insecure: true"]),
    "bad span": (in_store("sweep: {every: 24}"), ["stores.us-woo.sweep.every: a time span is", "24h", "(line 11)"]),
    "unknown stream": (
        in_store("streams: {baskets: {every: 5m}}"),
        ["streams.baskets: must be 'customers', 'orders' or"],
    ),
    "bad mode": (in_store("push: {mode: on}"), ["stores.us-woo.push.mode: must be 'off', 'review' or 'auto'"]),
    "over a limit": (in_store("http: {concurrency: 99}"), ["stores.us-woo.http.concurrency: must be at most 16"]),
    "under a limit": (in_store("push: {brake: {max_percent: -1}}"), ["push.brake.max_percent: must be at least 0"]),
    "word for a number": (in_store("http: {deadline_s: long}"), ["stores.us-woo.http.deadline_s: must be a number"]),
    "word for a truth": (in_store("insecure: maybe"), ["stores.us-woo.insecure: must be true or false"]),
    "country in words": (in_store("country: Germany"), ['stores.us-woo.country: must look like "DE"']),
    "no such ca file": (
        in_store("http: {ca_file: ca.pem}"),
        ["stores.us-woo.http.ca_file: there is no file", "ca.pem"],
    ),
    "no such segments": (GOOD + "segments: none.yaml\n", ["segments: there is no file", "none.yaml"]),
    "bad currency": (swap("EUR", "euro"), ['currency: must be an ISO 4217 currency code such as "EUR"']),
    "bad rate": (GOOD + "rates: {USD: much}\n", ["rates.USD: must be a number", "(line 11)"]),
    "negative rate": (GOOD + 'rates: {USD: "-1"}\n', ["rates.USD: must be more than 0"]),
    "rates to nothing": (swap("currency: EUR", 'rates: {USD: "1"}'), ['set "currency" too']),
    "bad time zone": (GOOD + "timezone: Europe/Berln\n", ["timezone: is not a time zone", 'mean "Europe/Berlin"?']),
    "bad state": (GOOD + "revenue: {excluded_states: [lost]}\n", ["revenue.excluded_states.0: must be 'pending'"]),
    "text for a list": (GOOD + "identity: {block: a@b.c}\n", ["identity.block: must be a list"]),
    "other database": (GOOD + "database: {url: mysql://h/x}\n", ["database.url: is not the URL of a", "postgresql://"]),
    "two slashes": (GOOD + "database: {url: sqlite://a.db}\n", ["database.url: names no file", "sqlite:///path"]),
    "memory": (GOOD + "database: {url: 'sqlite:///:memory:'}\n", ["database.url: names no file"]),
    "password in the url": (
        GOOD + f"database: {{url: 'postgresql://u:{CANARY}@db.example.com/x'}}\n",
        ["database.url: holds a password", "SYNCD_DATABASE__URL"],
    ),
    "password as an option": (
        GOOD + f"database: {{url: 'postgresql://db.example.com/x?sslmode=require&password={CANARY}'}}\n",
        ["database.url: holds a password"],
    ),
    "secret in the file": (
        swap("${SECRET}", CANARY),
        ["consumer_secret: a secret may stand", '"${US_WOO_CONSUMER_SECRET}"', '"consumer_secret_file"', "(line 10)"],
    ),
    "secret as a default": (swap("${SECRET}", f"${{NONE:-{CANARY}}}"), ["auth.consumer_secret: a secret may stand"]),
    "half a secret": (swap("${SECRET}", f"{CANARY}${{SECRET}}"), ["auth.consumer_secret: a secret may stand"]),
    "secret is a number": (swap("${SECRET}", "12345"), ["auth.consumer_secret: must be text"]),
    "unset variable": (swap("${SECRET}", "${NONE}"), ["consumer_secret: the environment variable NONE is not set"]),
    "unset variable of a secret": (
        swap("${SECRET}", "${NONE}"),
        ['NONE is not set; set it, or give the path of a file as "consumer_secret_file" (line 10)'],
    ),
    "unset variable of a plain value": (
        swap("EUR", "${NONE}"),
        ["NONE is not set; set it, or write ${NONE:-default}"],
    ),
    "nameless variable": (swap("${SECRET}", '"${}"'), ['consumer_secret: has a "${" without the name']),
    "no secret file": (
        swap(SECRET_LINE, "consumer_secret_file: no"),
        ["consumer_secret_file: ", "cannot be read: No"],
    ),
    "secret twice": (in_store("  consumer_key_file: a"), ['consumer_key_file: stands beside "consumer_key"; keep one']),
    "duplicate key": (GOOD + "merchant: other\n", ["merchant: is given twice, first on line 2; keep one", "(line 11)"]),
    "tab": (GOOD + "log:\n\tlevel: info\n", ["is not valid YAML in column 1", "(line 12)"]),
    "open quote": (GOOD + f'timezone: "{CANARY}\n', ["is not valid YAML", "(line"]),
    "foreign tag": (GOOD + f"log: {{level: !secret {CANARY}}}\n", ["is not valid YAML in column 14", "'!secret'"]),
    "not a tag's value": (GOOD + "log: {level: !!int high}\n", ["log.level: is not what its YAML tag says"]),
    "no truth value": (GOOD + "log: {level: !!bool high}\n", ["log.level: is not what its YAML tag says"]),
    "no file name": (GOOD + f"segments: {'x' * 5000}\n", ["segments: there is no file"]),
    "a key that is a list": (GOOD + "? [a, b]\n: c\n", ["a key must be a word", "(line 11)"]),
    "itself inside itself": (GOOD + "log: &a {level: *a}\n", ["stands inside its own anchor"]),
    "control character": (GOOD + "log: {level: \x01}\n", ["holds a character that YAML does not allow (line 11)"]),
    "a list": ("- a\n", ['must hold settings as "key: value" lines']),
    "nothing": ("", ["merchant: is required", "stores: is required"]),
    "cron of four fields": (in_store("sweep: {cron: 0 3 * *}"), ["sweep.cron: must be five fields", '"30 3 * * *"']),
    "cron without an hour": (in_store('sweep: {cron: "0 25 * * *"}'), ["sweep.cron: has no hour that can be read"]),
    "cron in words": (in_store("sweep: {cron: at three every full moon}"), ["has no minute that can be read"]),
    "cron that never comes": (in_store('sweep: {cron: "0 0 31 2 *"}'), ["sweep.cron: is a time that never comes"]),
    "cron of two days": (in_store('sweep: {cron: "0 0 1 * 1"}'), ["a day of the month and a weekday; write * for one"]),
    "cron without quotes": (in_store("sweep: {cron: * 3 * * *}"), ["begins with * needs", "(line 11)"]),
    "two clocks": (
        in_store('streams: {orders: {every: 5m, cron: "0 3 * * *"}}'),
        ['streams.orders: has "every" and "cron"; keep one of the two', "(line 11)"],
    ),
    "no time between": (in_store("streams: {orders: {every: 0s}}"), ["streams.orders.every: must be 1s or more"]),
    "jitter in figures": (in_store("streams: {orders: {jitter: 10}}"), ["streams.orders.jitter: a time span is"]),
    "literal address": (
        GOOD + f"notify: {{urls: ['slack://{CANARY}/b/c']}}\n",
        ["notify.urls.0: an address with its keys", '"${NAME}"', "(line 11)"],
    ),
    "no address": (GOOD + "notify: {urls: ['${KEY}']}\n", ["notify.urls.0: must be an address such as"]),
    "one address": (GOOD + "notify: {urls: 'slack://${KEY}'}\n", ["notify.urls: must be a list"]),
    "unset variable of an address": (
        GOOD + "notify: {urls: ['slack://${NONE}']}\n",
        ["notify.urls.0: the environment variable NONE is not set; set it, or give", 'as "urls_file"'],
    ),
    "no file of addresses": (
        GOOD + "notify: {urls_file: no}\n",
        ["notify.urls_file: ", "cannot be read: No such"],
    ),
    "addresses twice": (GOOD + "notify: {urls_file: no, urls: []}\n", ['urls_file: stands beside "urls"; keep one']),
    "heartbeat in the open": (
        GOOD + "notify: {heartbeat_url: 'http://watch.example.com/${KEY}'}\n",
        ["notify.heartbeat_url: must be an https address"],
    ),
    "bad pause": (GOOD + "notify: {paused_after: soon}\n", ["notify.paused_after: a time span is"]),
    "bad retention": (GOOD + "housekeeping: {keep_runs: for ever}\n", ["housekeeping.keep_runs: a time span is"]),
    "negative room": (GOOD + "housekeeping: {min_free_mb: -1}\n", ["housekeeping.min_free_mb: must be at least 0"]),
}
WRONG_VARIABLES = {
    "one underscore": (
        {"SYNCD_DATABASE_URL": CANARY},
        ['SYNCD_DATABASE_URL is no setting; did you mean "SYNCD_DATABASE__URL"?'],
    ),
    "wrong word": ({"SYNCD_MERCHANTS": CANARY}, ['did you mean "SYNCD_MERCHANT"?']),
    "wrong store": ({"SYNCD_STORES__US_WO__URL": CANARY}, ['did you mean "SYNCD_STORES__US_WOO__URL"?']),
    "reserved, misspelt": ({"SYNCD_CONFG": CANARY}, ['did you mean "SYNCD_CONFIG"?']),
    "a section": ({"SYNCD_DATABASE": "{}"}, ["SYNCD_DATABASE is no setting"]),
    "bad value": ({"SYNCD_LOG__LEVEL": CANARY}, ["SYNCD_LOG__LEVEL: must be 'debug', 'info', 'warning' or 'error'"]),
    "bad list": ({"SYNCD_IDENTITY__BLOCK": CANARY}, ["SYNCD_IDENTITY__BLOCK: must be a list"]),
    "bad switch": ({"SYNCD_PUSH": CANARY}, ['SYNCD_PUSH can only be "off"']),
}
