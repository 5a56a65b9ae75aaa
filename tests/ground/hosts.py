# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts: containers with their own engine and SSH, and nothing else but Python."""

from __future__ import annotations

import time

import images
from debian import install_packages
from shell import CACHE, GroundError, answers, run, say, workshop

NAME = "breakwater-host-"
KEY = CACHE / "ssh/id_ed25519"
#: What an engine inside a container needs on cgroup v1 and v2; no --privileged.
FLAGS = [
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "MKNOD"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--security-opt", "systempaths=unconfined"),
    *("-v", "/var/lib/docker", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
]


def up(label: str, count: int, load: list[str]) -> None:
    """Start hosts, load images into their engines and print an inventory in INI form.

    Args:
        label: follows :data:`NAME`, "" for the hosts that everybody may use.
        count: how many.
        load: references of images.
    """
    install_packages(["ssh-keygen"])
    public_key = make_key()
    image = next(image for image in images.IMAGES if image.name == "host")
    images.build(image)
    prefix = f"{NAME}{label}-" if label else NAME
    names = [f"{prefix}{number}" for number in range(1, count + 1)]
    for name in names:
        start(name, image.reference, public_key)
    for name in names:
        wait(name)
        for reference in load:
            load_image(name, reference)
    print("[stacks]")
    for name in names:
        print(f"{name} ansible_host={address(name)}")
    print("\n[stacks:vars]")
    print("ansible_user=root")
    print(f"ansible_ssh_private_key_file={KEY}")
    print("ansible_ssh_common_args='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'")
    print("ansible_python_interpreter=/usr/bin/python3")


def make_key() -> str:
    """Create the key of this cache once and return its public half."""
    if not KEY.exists():
        KEY.parent.mkdir(parents=True, exist_ok=True)
        with workshop() as folder:
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ground", "-f", str(folder / KEY.name)])
            # The private half last: where it is, both are.
            for half in (KEY.with_suffix(".pub"), KEY):
                (folder / half.name).replace(half)
    return KEY.with_suffix(".pub").read_text().strip()


def start(name: str, image: str, public_key: str) -> None:
    """Start one host unless it runs; one of an image that was built anew since is replaced."""
    if answers(["docker", "inspect", name]):
        current = run(["docker", "image", "inspect", "-f", "{{.Id}}", image])
        if run(["docker", "inspect", "-f", "{{.Image}}", name]) == current:
            run(["docker", "start", name])
            return
        run(["docker", "rm", "-f", "-v", name])
    say(f"starting {name}")
    named = ["--name", name, "--hostname", name]
    run(["docker", "run", "-d", *named, *FLAGS, "-e", f"AUTHORIZED_KEY={public_key}", image])


def wait(name: str) -> None:
    """Wait until a host's engine answers.

    Raises:
        GroundError: it did not within a minute.
    """
    for _attempt in range(120):
        if answers(["docker", "exec", name, "docker", "info"], timeout=10):
            return
        time.sleep(0.5)
    raise GroundError(f"the engine of {name} did not answer within a minute; see docker logs {name}")


def load_image(name: str, reference: str) -> None:
    """Copy an image into a host's engine."""
    if answers(["docker", "exec", name, "docker", "image", "inspect", reference]):
        return
    say(f"loading {reference} into {name}")
    run(["bash", "-o", "pipefail", "-c", f"docker save '{reference}' | docker exec -i '{name}' docker load -q"])


def address(name: str) -> str:
    """Return a host's address on the engine's default network."""
    found = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return run(["docker", "inspect", "-f", found, name]).strip()


def down() -> None:
    """Remove the hosts with what their engines hold."""
    if not answers(["docker", "info"]):
        say("no engine answers, so there are no test hosts to remove")
        return
    for name in run(["docker", "ps", "-aq", "--filter", f"name=^{NAME}"]).split():
        say(f"removing a test host ({name})")
        run(["docker", "rm", "-f", "-v", name])
