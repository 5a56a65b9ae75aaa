# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts/temporal-keys"
GO = """\
package a

// NewGlobalIntSetting("commented.out", 1, `no`)
func NewGlobalIntSetting(key string, def int, description string) GlobalIntSetting {}

var (
	A = NewGlobalIntSetting(
		"a.size",
		2*1024*1024, // two MiB
		`Size, of a (thing). Requires service restart to take effect.`,
	)
	B = dynamicconfig.NewNamespaceDurationSetting("b.wait", 10 * time.Second, "b")
	C = NewTaskQueueIntSettingWithConstrainedDefault(
		"c.partitions",
		[]TypedConstrainedValue[int]{{Value: 4}},
		`c`,
	)
	D = NewTaskQueueTypedSettingWithConverter("d.fair", ConvertGradualChange(false), StaticGradualChange(false), `d`)
	E = NewGlobalTypedSetting("e.names", ([]string)(nil), `e`)
	F = NewNamespaceTypedSetting[Tweakables]("f.tweak", DefaultTweakables, "f")
)
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader("temporal_keys", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    module = module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def test_declarations_are_read(script: ModuleType) -> None:
    assert [tuple(setting) for setting in script.settings_in(GO, "a.go")] == [
        ("a.size", "global", "int", "2097152", "restart", "a.go"),
        ("b.wait", "namespace", "duration", "10s", "", "a.go"),
        ("c.partitions", "taskQueue", "int", "by constraints", "", "a.go"),
        ("d.fair", "taskQueue", "gradual-bool", "StaticGradualChange(false)", "", "a.go"),
        ("e.names", "global", "list", "([]string)(nil)", "", "a.go"),
        ("f.tweak", "namespace", "struct", "DefaultTweakables", "", "a.go"),
    ]


@pytest.mark.parametrize(
    "declaration",
    ['NewGlobalTypedSetting("a", something(), `x`)', "NewGlobalIntSetting(keyOf(1), 1, `x`)"],
)
def test_a_form_that_is_not_known_stops_the_script(script: ModuleType, declaration: str) -> None:
    with pytest.raises(SystemExit):
        list(script.settings_in(f"var a = {declaration}\n", "a.go"))


def test_a_key_has_a_line_for_each_span(script: ModuleType) -> None:
    def key(default: str) -> object:
        return script.Setting("k", "global", "int", default, "", "a.go")

    releases = {"v1.1.0": {"k": key("1")}, "v1.2.3": {"k": key("1")}, "v1.3.0": {}, "v1.4.0": {"K": key("2")}}
    assert list(script.rows(releases)) == ["K\tglobal\tint\t1.1\t1.2\t1\t\ta.go", "K\tglobal\tint\t1.4\t\t2\t\ta.go"]
