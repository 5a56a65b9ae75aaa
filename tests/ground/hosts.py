# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts: containers with their own engine and SSH, and nothing else but Python."""

from __future__ import annotations

import time

import images
from shell import CACHE, GroundError, answers, run, say

NAME = "breakwater-host-"
KEY = CACHE / "ssh/id_ed25519"
#: What an engine inside a container needs on cgroup v1 and v2; no --privileged.
FLAGS = [
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "MKNOD"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--security-opt", "systempaths=unconfined"),
    *("-v", "/var/lib/docker", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
]


def up(count: int, load: list[str]) -> None:
    """Start `count` hosts, load images into their engines and print an inventory in INI form."""
    public_key = make_key()
    image = next(image for image in images.IMAGES if image.name == "host")
    images.build(image)
    names = [f"{NAME}{number}" for number in range(1, count + 1)]
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
    print("ansible_ssh_common_args='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'")
    print("ansible_python_interpreter=/usr/bin/python3")


def make_key() -> str:
    """Create the key of this cache once and return its public half."""
    if not KEY.exists():
        KEY.parent.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(KEY)])
    return KEY.with_suffix(".pub").read_text().strip()


def start(name: str, image: str, public_key: str) -> None:
    """Start one host unless it runs."""
    if answers(["docker", "inspect", name]):
        run(["docker", "start", name])
        return
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
    run(["sh", "-c", f"docker save '{reference}' | docker exec -i '{name}' docker load -q"])


def address(name: str) -> str:
    """Return a host's address on the engine's default network."""
    return run(["docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", name]).strip()


def down() -> None:
    """Remove the hosts with what their engines hold."""
    for name in run(["docker", "ps", "-aq", "--filter", f"name=^{NAME}"]).split():
        say(f"removing a test host ({name})")
        run(["docker", "rm", "-f", "-v", name])
