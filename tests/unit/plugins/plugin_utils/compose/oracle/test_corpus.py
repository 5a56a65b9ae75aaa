# SPDX-License-Identifier: GPL-3.0-or-later
"""Over all public files of the corpus our model equals that of Docker Compose."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import decode
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import SourceFile, load_project

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_MISSING_ENV_FILE = re.compile(r"env file (\S+) not found")


class Answer(NamedTuple):
    """What Compose says about a file of the corpus, with what it was given besides."""

    folder: Path
    files: list[str]
    environment: dict[str, str]
    config: dict[str, Any] | str


def add_env_file(folder: Path, answer: str) -> bool:
    """Make the empty env file that Compose misses, where it lies in the test's folder."""
    missing = _MISSING_ENV_FILE.search(answer)
    if missing is None or not Path(missing.group(1)).is_relative_to(folder):
        return False
    Path(missing.group(1)).parent.mkdir(parents=True, exist_ok=True)
    Path(missing.group(1)).touch()
    return True


def ask_as_it_is(oracle: Any, folder: Path, source: Path) -> Answer:
    """Ask Compose about one file, alone and without variables."""
    folder.mkdir()
    (folder / "compose.yml").write_bytes(source.read_bytes())
    config = oracle.config(folder, ["compose.yml"])
    while isinstance(config, str) and add_env_file(folder, config):
        config = oracle.config(folder, ["compose.yml"])
    return Answer(folder, ["compose.yml"], {}, config)


# What a file that is only a part of a project lacks: the error of Compose, and the stub that a base file gets for it.
STUBS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (r'service "([^"]+)" has neither an image', "services", {"image": "stub"}),
    (r"depends on undefined service \"?([^\":]+)", "services", {"image": "stub"}),
    (r"refers to undefined volume ([^:]+):", "volumes", {}),
    (r"refers to undefined network ([^:]+):", "networks", {}),
    (r"refers to undefined secret ([^:]+):", "secrets", {"file": "./stub"}),
    (r"refers to undefined config ([^:]+):", "configs", {"file": "./stub"}),
)


def ask_completed(oracle: Any, folder: Path, source: Path) -> Answer:
    """Ask Compose about a file that it does not accept alone: below it a base file of stubs, all variables set to 1."""
    environment = dict.fromkeys(_VARIABLE.findall(source.read_text()), "1")
    stub: dict[str, dict[str, Any]] = {"services": {}}
    config: dict[str, Any] | str = ""
    for _ in range(40):
        (folder / "base.yml").write_text(repr(stub).replace("'", '"'))
        config = oracle.config(folder, ["base.yml", "compose.yml"], environment)
        if not isinstance(config, str):
            break
        for pattern, section, content in STUBS:
            match = re.search(pattern, config)
            if match and match.group(1) not in stub.get(section, {}):
                stub.setdefault(section, {})[match.group(1)] = content
                break
        else:
            if not add_env_file(folder, config):
                break
    return Answer(folder, ["base.yml", "compose.yml"], environment, config)


@pytest.mark.compose
def test_every_file_that_compose_accepts_has_the_same_model(oracle: Any, corpus: list[Path], tmp_path: Path) -> None:
    folders = [tmp_path / f"f{number}" for number in range(len(corpus))]

    def ask(pair: tuple[Path, Path]) -> Answer:
        answer = ask_as_it_is(oracle, *pair)
        return ask_completed(oracle, *pair) if isinstance(answer.config, str) else answer

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, zip(folders, corpus, strict=True)))
    wrong: list[str] = []
    accepted = []
    for source, answer in zip(corpus, answers, strict=True):
        if isinstance(answer.config, str):
            print(f"not compared: {source.name}: {answer.config[:150]}")
            continue
        accepted.append(answer)
        try:
            found = oracle.differences(answer.config, oracle.project(answer.folder, answer.files, answer.environment))
        except ComposeError as error:
            found = [f"refused: {error}"]
        wrong += [f"{source.name}: {difference}" for difference in found]
    alone = sum(len(answer.files) == 1 for answer in accepted)
    print(f"{len(corpus)} files, {alone} compared alone, {len(accepted) - alone} over stubs, {len(wrong)} differences")
    assert not wrong, "\n".join(wrong)
    assert len(accepted) >= len(corpus) * 0.9


def test_the_whole_corpus_is_read_without_its_variables(corpus: list[Path]) -> None:
    refused: dict[str, str] = {}
    for source in corpus:
        try:
            project = load_project([SourceFile(source.name, decode(source.read_bytes(), source.name))])
        except ComposeError as error:
            refused[source.name] = str(error)
            continue
        for service in project.services.values():
            for accessor in dir(type(service)):
                if isinstance(getattr(type(service), accessor), property):
                    getattr(service, accessor)
            assert service.origin() is not None
            for key in service.config:
                origin = service.origin((key,))
                assert origin is not None
                assert origin[1] is not None
    for name, reason in refused.items():
        print(f"refused: {name}: {reason}")
        assert reason.startswith(name)
    assert len(refused) <= len(corpus) * 0.05
