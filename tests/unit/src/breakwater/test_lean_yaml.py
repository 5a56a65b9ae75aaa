# SPDX-License-Identifier: GPL-3.0-or-later
"""In processes of their own: what is tested is the state of a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


LEAN = "from breakwater.lean_yaml import install; assert install(); import yaml\n"


def test_parses_without_loading_the_rest() -> None:
    code = LEAN + "p = yaml.CParser('a: 1'); n = 0\nwhile p.check_event(): p.get_event(); n += 1\n"
    assert run(code + "print(n, 'yaml.resolver' in sys.modules, 'datetime' in sys.modules)") == "8 False False"


def test_errors_are_those_of_the_library() -> None:
    code = LEAN + (
        "def f(text):\n"
        "    p = yaml.CParser(text)\n"
        "    try:\n"
        "        while p.check_event(): p.get_event()\n"
        "    except yaml.MarkedYAMLError as e: print('marked', type(e).__name__, e.problem_mark.line)\n"
        "    except yaml.YAMLError as e: print(type(e).__name__, e.position, e.reason)\n"
        "f('a: [1'); f('\\ta: 1'); f('a: \\x01')"
    )
    assert run(code).splitlines() == [
        "marked ParserError 1",
        "marked ScannerError 0",
        "ReaderError 3 control characters are not allowed",
    ]


def test_becomes_the_whole_library_on_demand() -> None:
    assert run(LEAN + "print(yaml.safe_load('a: 2026-01-01'), yaml.dump({'b': 1}).strip())") == (
        "{'a': datetime.date(2026, 1, 1)} b: 1"
    )


def test_leaves_a_loaded_library_alone() -> None:
    code = "import yaml; from breakwater.lean_yaml import install; print(install(), type(yaml).__name__)"
    assert run(code) == "False module"


def test_another_shape_of_the_library_falls_back_to_the_ordinary_import() -> None:
    code = (
        "import breakwater.lean_yaml as lean; lean._REAL = ('error', 'gone'); print(lean.install())\n"
        "import yaml; print(yaml.safe_load('1'))"
    )
    assert run(code).split() == ["False", "1"]
