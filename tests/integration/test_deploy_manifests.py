"""What deploy/ hands to Ray's launcher and to Kubernetes, held against their schemas and ours."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import cluster
from cluster.experiment.reader import load_experiment
from cluster.fleet.ray_fleet import LOAD_RESOURCE, OBJECT_STORE_BYTES

pytestmark = pytest.mark.integration

ROOT = Path(cluster.__file__).parents[1]
DEPLOY = ROOT / "deploy"
ON_PREM = yaml.safe_load((DEPLOY / "ray-onprem.yaml").read_text())
POD_TEMPLATE = {"metadata", "spec"}


def start_commands() -> list[str]:
    return [*ON_PREM["head_start_ray_commands"], *ON_PREM["worker_start_ray_commands"]]


def raycluster() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "kuberay" / "raycluster.yaml").read_text())
    return found


def groups() -> list[dict[str, Any]]:
    spec = raycluster()["spec"]
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


def containers() -> list[dict[str, Any]]:
    return [one for group in groups() for one in group["template"]["spec"]["containers"]]


def test_the_launchers_own_check_takes_the_on_premise_cluster() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util", reason="Ray has moved its check")
    util.validate_config(util.prepare_config(dict(ON_PREM)))


def test_all_that_the_launcher_runs_is_shell() -> None:
    for command in [*ON_PREM["setup_commands"], *start_commands()]:
        done = subprocess.run(
            ["bash", "-n"], input=command, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), command


def test_the_launcher_starts_ray_with_the_token_without_dashboard_and_on_fixed_ports() -> None:
    head, worker = (command for command in start_commands() if "ray start" in command)
    ports = subprocess.run(
        ["bash", "-c", f"source {DEPLOY}/ports.sh; ray_ports 6379"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert len(ports) == 8
    for command in (head, worker):
        assert "RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=~/.ray/auth_token" in command
        assert f"--object-store-memory={OBJECT_STORE_BYTES}" in command
        assert set(ports) <= set(command.split())
    assert "--include-dashboard=false" in head
    assert f"""--resources='{{"{LOAD_RESOURCE}": 1}}'""" in worker
    assert LOAD_RESOURCE not in head
    assert "~/.ray/auth_token" in ON_PREM["file_mounts"]


def test_the_experiment_names_the_head_of_the_on_premise_cluster() -> None:
    ray = load_experiment(ROOT / "configs" / "cluster.yaml").ray

    assert ray.address == f"{ON_PREM['provider']['head_ip']}:6379"


def test_the_outgoing_ports_of_a_load_host_are_above_rays() -> None:
    first = re.search(r"FIRST_PORT=(\d+)", (DEPLOY / "load-host.sh").read_text())
    last = re.search(r"LAST_WORKER_PORT=(\d+)", (DEPLOY / "ports.sh").read_text())

    assert first is not None
    assert last is not None
    assert int(last[1]) < int(first[1])


def test_a_ray_cluster_has_what_kuberay_wants() -> None:
    document = raycluster()

    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayCluster")
    assert document["metadata"]["annotations"]["ray.io/overwrite-container-cmd"] == "true"
    for group in groups():
        assert isinstance(group["rayStartParams"], dict)
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        assert set(group["template"]) == POD_TEMPLATE
    for group in document["spec"]["workerGroupSpecs"]:
        assert group["minReplicas"] == group["replicas"] == group["maxReplicas"]
        # KubeRay wants JSON in quotes of its own.
        resources = yaml.safe_load(yaml.safe_load(group["rayStartParams"]["resources"]))
        assert resources == {LOAD_RESOURCE: 1}


def test_images_are_pinned_and_of_the_ray_that_the_product_is_tested_with() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'"ray==([\d.]+)"', project)
    assert version is not None

    assert raycluster()["spec"]["rayVersion"] == version[1]
    assert {container["image"].partition(":")[2] for container in containers()} == {
        f"{cluster.__version__}-ray{version[1]}"
    }


def test_the_token_is_a_secret_and_in_no_manifest() -> None:
    for container in containers():
        env = {entry["name"]: entry for entry in container["env"]}
        assert env["RAY_AUTH_MODE"]["value"] == "token"
        assert "value" not in env["RAY_AUTH_TOKEN"]
        assert set(env["RAY_AUTH_TOKEN"]["valueFrom"]) == {"secretKeyRef"}
    for path in DEPLOY.rglob("*.yaml"):
        assert not re.search(r"[0-9a-f]{32}|PRIVATE KEY", path.read_text()), path


def test_pods_are_guaranteed_their_whole_cpus_and_no_dashboard_runs() -> None:
    for container in containers():
        resources = container["resources"]
        assert resources["requests"] == resources["limits"]
        assert str(resources["limits"]["cpu"]).isdigit()
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        done = subprocess.run(["bash", "-n", "-c", container["command"][-1]], check=False)
        assert done.returncode == 0
    head, load = groups()
    assert head["rayStartParams"]["include-dashboard"] == "false"
    assert load["template"]["spec"]["hostNetwork"] is True
    rule = load["template"]["spec"]["affinity"]["podAntiAffinity"]
    assert rule["requiredDuringSchedulingIgnoredDuringExecution"][0]["topologyKey"] == (
        "kubernetes.io/hostname"
    )


def test_every_script_is_shell_without_findings() -> None:
    """As `make lint` finds, which needs no test to run; where shellcheck is not, bash itself."""
    scripts = sorted(
        path for top in ("cluster", "deploy", "scripts") for path in (ROOT / top).rglob("*.sh")
    )
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}")
    assert len(scripts) > 10
    for path in scripts:
        done = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), path
    if shellcheck:
        done = subprocess.run(
            [shellcheck, *scripts], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
