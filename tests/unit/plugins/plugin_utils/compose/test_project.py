# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects of several files: which file sets a value, what is followed, what is refused, and how they are found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.document import parse
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.errors import ComposeError
from ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project import (
    Project,
    SourceFile,
    configured_files,
    configured_profiles,
    default_files,
    load_project,
    normalize_project_name,
    replace_document,
)


def reader(files: dict[str, str]) -> Callable[[str], str]:
    def read(name: str) -> str:
        if name not in files:
            raise FileNotFoundError(2, "No such file or directory", name)
        return files[name]

    return read


def load(*texts: str, follow: dict[str, str] | None = None, directory: str | None = None, **variables: str) -> Project:
    """Load files named a.yml, b.yml, ..., which may lead to others."""
    sources = [SourceFile(f"{letter}.yml", text) for letter, text in zip("abcdef", texts, strict=False)]
    return load_project(sources, variables, reader(follow or {}), directory=directory)


def refused(*texts: str, follow: dict[str, str] | None = None) -> str:
    with pytest.raises(ComposeError) as caught:
        load(*texts, follow=follow)
    return str(caught.value)


BASE = "services:\n  web:\n    image: nginx\n    mem_limit: 1g\n    environment:\n      A: 1\n    ports: ['80:80']\n"


def test_the_file_that_sets_a_value_last_is_its_origin() -> None:
    over = "services:\n  web:\n    mem_limit: 0\n    environment: [B=2]\n    ports: ['81:81']\n"
    web = load(BASE, over).services["web"]
    assert web.memory_limit is None
    assert web.origin(("mem_limit",)) == (1, 3)
    assert web.origin(("image",)) == (0, 3)
    assert web.origin(("environment", "A")) == (0, 6)
    assert web.origin(("environment", "B")) == (1, 4)
    assert [(port.target, web.origin(("ports", index))) for index, port in enumerate(web.ports)] == [
        (80, (0, 7)),
        (81, (1, 5)),
    ]
    assert web.defined_in == [0, 1]
    assert web.origin() == (1, 2)
    assert web.own(0)["mem_limit"] == "1g"
    assert web.own(1)["environment"] == ["B=2"]


def test_a_reset_takes_back_and_an_override_replaces() -> None:
    over = "services:\n  web:\n    mem_limit: !reset null\n    ports: !override ['81:81']\n"
    web = load(BASE, over).services["web"]
    assert web.memory_limit is None
    assert web.origin(("mem_limit",)) is None
    assert [port.target for port in web.ports] == [81]
    assert web.origin(("ports",)) == (1, 4)


def test_merging_leaves_the_documents_as_they_are() -> None:
    project = load(BASE, "services: {web: {environment: {A: 2}, ports: ['81:81']}}")
    assert project.files[0].data == parse(BASE, "a.yml").data


def test_an_extended_service_keeps_the_origin_of_what_it_inherits() -> None:
    text = "services:\n  a:\n    extends: {file: sub/x.yml, service: base}\n    image: a\n"
    project = load(text, follow={"sub/x.yml": "services:\n  base:\n    image: x\n    mem_limit: 1g\n"})
    service = project.services["a"]
    assert [file.name for file in project.files] == ["a.yml", "sub/x.yml"]
    assert project.given == 1
    assert service.origin(("image",)) == (0, 4)
    assert service.origin(("mem_limit",)) == (1, 4)
    assert service.defined_in == [0]
    assert "extends" not in service.config
    assert sorted(project.services) == ["a"]


def test_two_services_that_extend_one_do_not_share_it() -> None:
    text = (
        "services:\n  b: {image: b, environment: {X: 1}, ports: ['1:1']}\n"
        "  c: {extends: b, environment: {Y: 2}}\n  d: {extends: {service: b}, ports: ['2:2']}\n"
    )
    services = load(text).services
    assert services["b"].environment == {"X": "1"}
    assert services["c"].environment == {"X": "1", "Y": "2"}
    assert [port.target for port in services["b"].ports] == [1]
    assert [port.target for port in services["d"].ports] == [1, 2]


def test_included_services_belong_to_the_included_file() -> None:
    text = "include:\n  - sub/x.yml\nservices:\n  a: {image: a}\n"
    follow = {"sub/x.yml": "services:\n  x:\n    image: 'x:${TAG}'\n", "sub/.env": "TAG=7\n"}
    project = load(text, follow=follow)
    assert project.services["x"].image == "x:7"
    assert project.services["x"].origin(("image",)) == (1, 3)
    assert project.services["x"].defined_in == [1]


def test_a_file_that_is_given_and_followed_is_one_file() -> None:
    base = "services:\n  a: {image: a}\n  z: {image: z, mem_limit: 1g}\n"
    over = "services:\n  a: {extends: {file: a.yml, service: z}}\n"
    for directory in (None, "/srv/app"):
        project = load(base, over, directory=directory)
        assert [file.name for file in project.files] == ["a.yml", "b.yml"]
        assert project.services["a"].origin(("mem_limit",)) == (0, 3)


def test_files_in_the_folder_of_the_project_are_read_there_and_shown_relative_to_it() -> None:
    text = "include: [sub/x.yml]\nservices: {a: {extends: {file: ../up.yml, service: u}}}\n"
    follow = {
        "/srv/app/sub/x.yml": "services:\n  x: {extends: {file: y.yml, service: y}}\n",
        "/srv/app/sub/y.yml": "services: {y: {image: '${TAG}'}}",
        "/srv/app/sub/.env": "TAG=y",
        "/srv/up.yml": "services: {u: {image: u}}",
    }
    project = load(text, follow=follow, directory="/srv/app")
    assert [file.name for file in project.files] == ["a.yml", "/srv/up.yml", "sub/x.yml", "sub/y.yml"]
    assert project.services["x"].image == "y"
    edited = replace_document(project, 3, parse("services: {y: {image: z}}", "sub/y.yml"))
    assert edited.services["x"].image == "z"


def test_the_name_of_the_project() -> None:
    text = "services: {a: {image: a}}"
    assert load(text).name is None
    assert load(text, directory="/srv/My.App_1").name == "myapp_1"
    assert load("name: x\n" + text, directory="/srv/app").name == "x"
    assert load("name: x\n" + text, "name: y-${T}\nservices: {}", T="z").name == "y-z"
    assert load("name: x\n" + text, COMPOSE_PROJECT_NAME="e").name == "e"
    assert (
        load("services: {a: {image: 'a:${COMPOSE_PROJECT_NAME}'}}", directory="/srv/app").services["a"].image == "a:app"
    )


@pytest.mark.parametrize(("text", "name"), [("My.App", "myapp"), ("__x-1_", "x-1_"), ("é", ""), ("A b", "ab")])
def test_project_names_are_normalized(text: str, name: str) -> None:
    assert normalize_project_name(text) == name


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], []),
        (["docker-compose.yml", "README"], ["docker-compose.yml"]),
        (["docker-compose.yaml", "docker-compose.yml"], ["docker-compose.yml"]),
        (["docker-compose.yml", "compose.yml", "compose.yaml"], ["compose.yaml"]),
        (["docker-compose.override.yml", "docker-compose.yml"], ["docker-compose.yml", "docker-compose.override.yml"]),
        (["compose.override.yaml", "docker-compose.yml"], ["docker-compose.yml", "compose.override.yaml"]),
        (["docker-compose.override.yml"], []),
    ],
)
def test_default_files(names: list[str], found: list[str]) -> None:
    assert default_files(names) == found


def test_files_of_the_environment() -> None:
    assert configured_files({}) is None
    assert configured_files({"COMPOSE_FILE": "a.yml:b.yml"}) == ["a.yml", "b.yml"]
    assert configured_files({"COMPOSE_FILE": "a.yml,b:c.yml", "COMPOSE_PATH_SEPARATOR": ","}) == ["a.yml", "b:c.yml"]


def test_profiles_choose_the_services() -> None:
    project = load("services: {a: {image: a}, d: {image: d, profiles: [debug]}, o: {image: o, profiles: [ops, x]}}")
    assert project.active_services() == ["a"]
    assert project.active_services(["ops", "none"]) == ["a", "o"]
    assert project.active_services(["*"]) == ["a", "d", "o"]
    assert configured_profiles({"COMPOSE_PROFILES": "debug, ops,"}) == ["debug", "ops"]
    assert configured_profiles({}) == []


def test_variables_without_value_are_listed() -> None:
    project = load("services:\n  a:\n    image: 'a:${TAG}'\n    environment: ['P=${PASS:?set it}', 'D=${D:-x}']\n")
    assert [(entry.variable, entry.required, entry.message, entry.file, entry.line) for entry in project.unknown] == [
        ("TAG", False, "", 0, 3),
        ("PASS", True, "set it", 0, 4),
    ]


def test_an_edited_document_replaces_one_file_and_nothing_is_read_again() -> None:
    reads: list[str] = []

    def read(name: str) -> str:
        reads.append(name)
        return "services:\n  x: {image: x}\n"

    text = "include: [x.yml]\nservices: {a: {extends: {file: x.yml, service: x}}}\n"
    project = load_project([SourceFile("a.yml", text)], read=read)
    edited = replace_document(project, 1, parse("services:\n  x: {image: y}\n", "x.yml"))
    assert (edited.services["a"].image, edited.services["x"].image) == ("y", "y")
    assert (project.services["a"].image, project.services["x"].image) == ("x", "x")
    assert reads.count("x.yml") == 1
    again = replace_document(edited, 0, parse("services: {b: {image: b}}\n", "a.yml"))
    assert sorted(again.services) == ["b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yml: no services in it; "),
        ("x-y: 1\n", "a.yml: no services in it; "),
        ("web: {image: a}\n", "a.yml: no services in it: this is the format of Compose version 1; put the services "),
        ("services:\n", "a.yml:1: services is not a mapping; "),
        ("services:\n  a:\n", "a.yml:2: service 'a' is empty; "),
        (
            "services:\n  a:\n    image: a\n    mem_limit: [1g]\n",
            "a.yml:4: mem_limit of service 'a': is a list; write it as ",
        ),
        (
            "services:\n  a:\n    mem_limit: 1x\n",
            "a.yml:3: mem_limit of service 'a': '1x' has the unknown unit 'x'; expected a size such as 512m",
        ),
        ("services:\n  a:\n    mem_limit: -1m\n", "a.yml:3: mem_limit of service 'a': '-1m' is negative; "),
        ("services:\n  a:\n    cpus: many\n", "a.yml:3: cpus of service 'a': 'many' is not understood; "),
        ("services:\n  a:\n    pids_limit: lots\n", "a.yml:3: pids_limit of service 'a': 'lots' is not a whole number"),
        ("services:\n  a:\n    init: perhaps\n", "a.yml:3: init of service 'a': 'perhaps' is not a boolean; "),
        (
            "services:\n  a:\n    ports:\n      - http\n",
            "a.yml:4: ports of service 'a': port 'http' is not understood; ",
        ),
        (
            "services:\n  a:\n    deploy:\n      resources: {limits: [x]}\n",
            "a.yml:4: deploy.resources.limits of service 'a': is a list; write it as a mapping",
        ),
        (
            "services:\n  a:\n    deploy:\n      resources: {limits: {memory: lots}}\n",
            "a.yml:4: deploy.resources.limits.memory of service 'a': 'lots' is not understood; ",
        ),
        (
            "services:\n  a:\n    healthcheck:\n      interval: 30\n",
            "a.yml:4: healthcheck.interval of service 'a': '30' has no unit; expected a duration such as 30s",
        ),
        ("services:\n  a:\n    image: 'a:${'\n", "a.yml:3: '${' is not a variable; write $$ "),
        ("services:\n  a:\n    extends: b\n", "a.yml:3: service 'a' extends 'b', which a.yml does not have; "),
        ("services:\n  a: {extends: b}\n  b: {extends: a}\n", "a.yml:2: service 'a' extends itself: a -> b -> a; "),
        ("services:\n  a:\n    extends: {file: x.yml}\n", "a.yml:3: extends of service 'a' names no service; "),
        ("services:\n  a:\n    extends: {file: x.yml, service: b}\n", "a.yml:3: cannot read 'x.yml': No such file"),
        (
            "services:\n  a:\n    extends: {file: 'https://h/x.yml', service: b}\n",
            "a.yml:3: cannot follow 'https://h/x.yml'",
        ),
        ("services: {a: {image: a}}\ninclude: x.yml\n", "a.yml:2: include is not a list; "),
        ("services: {a: {image: a}}\ninclude:\n  - x.yml\n", "a.yml:3: cannot read 'x.yml': No such file"),
        ("services: {a: {image: a}}\ninclude:\n  - {env_file: x}\n", "a.yml:3: an include names no file; "),
        (
            "include:\n  - a.yml\nservices: {a: {image: a}}\n",
            "a.yml:2: included files include each other: a.yml -> a.yml; ",
        ),
    ],
)
def test_errors_name_file_line_and_what_to_do(text: str, message: str) -> None:
    assert refused(text).startswith(message)


def test_a_shape_that_cannot_be_merged_names_the_later_file() -> None:
    message = refused("services: {a: {image: a, ports: ['1:1']}}", "services:\n  a:\n    ports: {x: y}\n")
    assert message.startswith("b.yml:3: ports of service 'a' has another shape in a file")


def test_an_include_that_means_another_service_is_refused() -> None:
    message = refused("include:\n- x.yml\nservices: {a: {image: a}}\n", follow={"x.yml": "services: {a: {image: b}}"})
    assert message.startswith("a.yml:2: services.a is defined here and differently in an included file; ")


def test_longer_cycles_are_refused() -> None:
    follow = {
        "x.yml": "services: {b: {extends: {file: a.yml, service: a}}}",
        "y.yml": "include: [z.yml]\nservices: {y: {image: y}}",
        "z.yml": "include: [y.yml]\nservices: {z: {image: z}}",
    }
    assert "extends itself" in refused("services: {a: {extends: {file: x.yml, service: b}}}", follow=follow)
    assert "include each other" in refused("include: [y.yml]\nservices: {a: {image: a}}", follow=follow)


def test_nothing_is_followed_without_a_reader() -> None:
    with pytest.raises(ComposeError, match="only the files given are read"):
        load_project([SourceFile("a.yml", "include: [b.yml]\nservices: {a: {image: a}}")])
    with pytest.raises(ComposeError, match="no Compose file is given"):
        load_project([])


def test_a_required_variable_stops_only_where_the_environment_is_complete() -> None:
    source = SourceFile("a.yml", "services:\n  a:\n    image: ${I:?which}\n")
    assert load_project([source]).services["a"].image == "${I:?which}"
    with pytest.raises(ComposeError, match=r"a.yml:3: the required variable I has no value: which"):
        load_project([source], strict=True)


def test_unknown_keys_and_the_json_form_are_no_problem() -> None:
    project = load('{"services": {"a": {"image": "a", "mem_limit": 1048576, "frobnicate": [1]}}, "x-y": 1}')
    assert project.services["a"].memory_limit == 1048576


def test_import_stays_light() -> None:
    heavy = "pathlib json dataclasses argparse inspect ruamel ansible.module_utils logging"
    name = "ansible_collections.breakwater.stack.plugins.plugin_utils.compose.project"
    code = f"import sys, {name}; print([name for name in '{heavy}'.split() if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; exec({code!r})"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"
