"""compose.yaml and docs/kubernetes.md start the product as it can be started; the schema of compose is Docker's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from monitor.cli import mubiao

PROJECT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = (PROJECT / "docs/kubernetes.md").read_text(encoding="utf-8")
PODS = list(yaml.safe_load_all(re.findall(r"```yaml\n(.*?)```", KUBERNETES, re.DOTALL)[0]))
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "mubiao"}


def commands() -> list[list[str]]:
    [container] = PODS[1]["spec"]["template"]["spec"]["containers"]
    image = re.search(r"^CMD \[(.*)\]$", (PROJECT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert image
    return [
        yaml.safe_load(f"[{image[1]}]"),
        container["args"],
        *(s["command"] for s in OURS.values() if "command" in s),
    ]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_what_a_container_runs_is_understood(words: list[str]) -> None:
    command = mubiao.get_command(click.Context(mubiao), words[0])
    assert command is not None
    command.make_context(words[0], words[1:])


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_may_write_nothing_and_know_their_database(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert {place.partition(":")[0] for place in service["tmpfs"]} == {"/tmp", "/data"}
    assert all(mount.endswith(":ro") for mount in service["volumes"])
    assert service["environment"]["MUBIAO_DB"].startswith("postgresql://")
    assert service["depends_on"]["db"]["condition"] == "service_healthy"
    assert "healthcheck" in COMPOSE["services"]["db"]


def test_the_health_check_of_the_image_finds_the_daemon_and_the_workers_where_they_listen() -> None:
    image = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    asked = re.search(r"HTTPConnection\('127\.0\.0\.1', (\d+)", image)
    assert asked
    for words in commands():
        assert words[words.index("--port") + 1] == asked[1]
        assert words[words.index("--host") + 1] == "0.0.0.0"
    assert not any("healthcheck" in service for service in OURS.values())


def test_a_pod_may_write_nothing_either() -> None:
    pod = PODS[1]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 10001
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
