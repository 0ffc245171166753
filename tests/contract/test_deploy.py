"""The files for containers and clusters are valid, name what exists, and give every service what it needs.

They are checked against schemas; no engine and no cluster is started here.
"""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from redress.app import installed
from shared.contracts import SERVICES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = Path(__file__).parent / "schemas"
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")

Document = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Document:
    loaded: Document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def kubernetes() -> Document:
    loaded: Document = json.loads((SCHEMAS / "kubernetes-1.34.json").read_text())
    return loaded


def documents(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def test_the_compose_file_is_valid(compose: Document) -> None:
    schema = json.loads((SCHEMAS / "compose-spec.json").read_text())
    errors = [
        f"{list(error.path)}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(compose)
    ]
    assert errors == []


def test_compose_runs_every_service_with_a_health_check_and_after_the_jobs(compose: Document) -> None:
    for service in SERVICES:
        told = compose["services"][service]
        assert "readyz" in " ".join(told["healthcheck"]["test"])
        assert set(told["depends_on"]) == {"migrate", "topics"}
        assert told["build"]["args"]["SERVICE"] == service


def test_every_image_is_pinned(compose: Document) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.M)
    for path in MANIFESTS:
        images += re.findall(r"image: (\S+)", path.read_text())
    assert [image for image in images if not re.fullmatch(r"[a-z/-]+:\d+\.[\d.]+(-[a-z-]+)?", image)] == []


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_is_valid_for_kubernetes(path: Path, kubernetes: Document) -> None:
    for document in documents(path):
        schema = {"$ref": kubernetes["kinds"][document["kind"]], "$defs": kubernetes["$defs"]}
        validator = jsonschema.Draft202012Validator(schema)
        errors = [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(document)]
        assert errors == []


def test_kustomize_lists_every_manifest_but_the_example_of_secrets() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in MANIFESTS if path.name != "secrets.example.yaml")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_in_kubernetes_has_probes_resources_and_a_disruption_budget(service: str) -> None:
    by_kind = {document["kind"]: document for document in documents(DEPLOY / "kubernetes" / f"{service}.yaml")}
    pod = by_kind["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["resources"]["limits"]["memory"] == "512Mi"
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    for kind in ("Service", "PodDisruptionBudget"):
        spec = by_kind[kind]["spec"]["selector"]
        assert (spec.get("matchLabels") or spec).items() <= pod["metadata"]["labels"].items()


def test_every_secret_that_a_manifest_names_is_in_the_example() -> None:
    example = {
        (document["metadata"]["name"], key)
        for document in documents(DEPLOY / "kubernetes" / "secrets.example.yaml")
        for key in document["stringData"]
    }
    named = set()
    for path in MANIFESTS:
        named |= set(re.findall(r"secretKeyRef: \{name: ([a-z-]+), key: ([a-z-]+)\}", path.read_text()))
    assert named == example


@pytest.mark.parametrize("service", installed())
def test_the_environments_of_compose_and_kubernetes_are_enough_for_a_service(
    service: str, compose: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = import_module(f"{service}_service.settings").Settings
    from_compose = {
        name: re.sub(r"\$\{[A-Z_]+:-(.*?)\}", r"\1", re.sub(r"\$\{[A-Z_]+:\?.*?\}", "a-value-of-16-or-more", value))
        for name, value in compose["services"][service]["environment"].items()
    }
    (container,) = documents(DEPLOY / "kubernetes" / f"{service}.yaml")[0]["spec"]["template"]["spec"]["containers"]
    (shared_by_all,) = documents(DEPLOY / "kubernetes" / "config.yaml")
    from_kubernetes = shared_by_all["data"] | {
        each["name"]: each.get("value", "postgresql://a-value-of-16-or-more") for each in container["env"]
    }
    for environment in (from_compose, from_kubernetes):
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            read = settings()
            assert read.kafka_bootstrap_servers == "kafka:9092"
            assert read.auth_jwks
            assert read.host == "0.0.0.0"
            assert read.public_base_url.endswith(f"/{service}")


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", (DEPLOY / "compose.yaml").read_text()))
    example = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.M))
    assert needed <= example


def metric_names() -> set[str]:
    from intake_service.usecases.gauges import Gauges
    from shared.bus.metrics import BusMetrics
    from shared.telemetry.metrics import Metrics

    metrics = Metrics()
    BusMetrics("intake", metrics.registry)
    Gauges(metrics.registry)
    names = {"up"}
    for family in metrics.registry.collect():
        names |= {family.name, f"{family.name}_total", f"{family.name}_bucket"}
    return names


@pytest.mark.parametrize("path", ["alerts/redress.yaml", "grafana/redress.json"])
def test_alerts_and_dashboard_ask_for_metrics_that_exist(path: str) -> None:
    text = (DEPLOY / path).read_text()
    asked = set(re.findall(r"\b(?:redress_[a-z_]+|intake_[a-z_]+|up(?=\{))", text))
    assert asked
    assert asked - metric_names() == set()


def test_every_alert_says_what_to_do() -> None:
    groups = yaml.safe_load((DEPLOY / "alerts" / "redress.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert [rule["alert"] for rule in rules if not rule["annotations"].get("action")] == []
    assert {rule["labels"]["severity"] for rule in rules} <= {"warning", "critical"}


def test_the_runtime_lock_is_part_of_the_lock() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9.-]+==\S+", (ROOT / name).read_text(), re.M))

    assert pins("requirements-runtime.lock") < pins("requirements.lock")


def test_no_lock_names_a_host() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()
