# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal import keys
from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.keys import VersionError, keys_of


def test_the_table_holds_every_minor_version_and_their_keys() -> None:
    spans, releases = keys._table()
    assert list(releases) == [f"1.{minor}" for minor in range(25, 33)]
    assert len(spans) >= 700
    for lower, settings in spans.items():
        for setting in settings:
            assert setting.key.lower() == lower
            assert setting.scope in keys.CONSTRAINTS
            assert setting.since in releases
            assert setting.until in ("", *releases)
    assert all(len(keys_of(minor).names()) >= 450 for minor in releases)


def test_spans_of_a_key_follow_each_other() -> None:
    spans, _releases = keys._table()
    for settings in spans.values():
        for earlier, later in itertools.pairwise(settings):
            assert earlier.until
            assert keys.number(earlier.until) < keys.number(later.since)


@pytest.mark.parametrize(
    ("key", "version", "scope", "kind", "default"),
    [
        ("frontend.namespaceRPS", "1.31.2", "namespace", "int", "2400"),
        ("frontend.namespaceBurstRatio", "1.25.2", "namespace", "float", "2"),
        ("history.cacheNonUserContextLockTimeout", "1.31.2", "global", "duration", "500ms"),
        ("limit.blobSize.error", "1.31.2", "namespace", "int", "2097152"),
        ("matching.useNewMatcher", "1.29", "taskQueue", "bool", "false"),
        ("matching.useNewMatcher", "1.31", "taskQueue", "gradual-bool", "StaticGradualChange(true)"),
        ("history.outboundQueue.circuitBreakerSettings", "1.31", "destination", "struct", "CircuitBreakerSettings{}"),
        ("matching.numTaskqueueReadPartitions", "1.31", "taskQueue", "int", "by constraints"),
    ],
)
def test_known_keys(key: str, version: str, scope: str, kind: str, default: str) -> None:
    setting = keys_of(version).get(key.upper())
    assert setting is not None
    assert (setting.key, setting.scope, setting.type, setting.default) == (key, scope, kind, default)


def test_versions() -> None:
    assert keys_of("v1.31.2").minor == keys_of("1.31").minor == keys_of("1.31.0-rc.1").minor == "1.31"
    newer = keys_of("1.99.0")
    assert newer.minor == "1.32"
    assert "newer than the table" in newer.note
    assert keys_of("1.32.0").note == ""


@pytest.mark.parametrize("version", ["", "latest", "1", "1.31.2.4", "1.31;", "-1.31", "1.24.2", "0.31"])
def test_versions_that_cannot_be_answered_for(version: str) -> None:
    with pytest.raises(VersionError) as caught:
        keys_of(version)
    assert "\n" not in str(caught.value)


def test_links_lead_to_the_release() -> None:
    known = keys_of("1.31.2")
    setting = known.get("frontend.rps")
    assert setting is not None
    assert known.link(setting).endswith("/blob/v1.31.2/common/dynamicconfig/constants.go")
