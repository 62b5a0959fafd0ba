"""What no schema knows of deploy/kubernetes: that everything that is named is there, that pods ask for no more than the strictest
profile allows, that every variable is one that the program reads, and that copies are equal."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path("deploy/kubernetes")
# Applied by hand, as kustomization.yaml says.
APART = {"namespace.yaml", "ingress.yaml"}
# What the programs of others read.
KNOWN = {"PGPASSWORD", "POSTGRES_PASSWORD"}
PREFIXES = {"bff": "BFF_", "catalog-command": "CATALOG_COMMAND_", "catalog-query": "CATALOG_QUERY_"}
NAME = "app.kubernetes.io/name"

faults = []


def check(fine, what):
    if not fine:
        faults.append(what)


def sources(*folders):
    return "".join(file.read_text() for folder in folders for file in Path(folder).rglob("*.rs"))


def read(folder):
    """The manifests that the kustomization of a folder has."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    listed = kustomization["resources"]
    there = {file.name for file in folder.glob("*.yaml")} - APART - {"kustomization.yaml"}
    check(set(listed) == there, f"{folder}: {sorted(set(listed) ^ there)} is listed or there, and not both")
    for generator in kustomization.get("configMapGenerator", []):
        for file in generator["files"]:
            check((folder / file).exists(), f"{folder}: {file} is missing")
    documents = [one for file in sorted(there) for one in yaml.safe_load_all((folder / file).read_text())]
    return kustomization, documents


services, documents = read(ROOT)
stores, of_stores = read(ROOT / "stores")
documents += of_stores


def of_kind(*kinds):
    return [one for one in documents if one["kind"] in kinds]


# A cron job holds the job that it makes.
jobs = [{**one["spec"]["jobTemplate"], "kind": "Job", "metadata": one["metadata"]} for one in of_kind("CronJob")]
workloads = of_kind("Deployment", "StatefulSet", "Job") + jobs
pods = {one["spec"]["template"]["metadata"]["labels"][NAME]: one["spec"]["template"]["spec"] for one in workloads}
ports = {name: {port["name"] for port in pod["containers"][0].get("ports", [])} for name, pod in pods.items()}
config_maps = {one["metadata"]["name"]: set(one["data"]) for one in of_kind("ConfigMap")}
generated = {one["name"] for one in stores["configMapGenerator"]}
secrets = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", Path("deploy/make-secrets").read_text()))
secrets |= set(re.findall(r"echo \"([A-Z_]+)=", (ROOT / "kustomization.yaml").read_text()))
images = {one["name"] for one in services["images"]}
broker = (ROOT / "stores/nats.conf").read_text()


def selected(selector):
    """The names of the pods that a selector chooses."""
    if "matchExpressions" in selector:
        (expression,) = selector["matchExpressions"]
        return expression["values"]
    labels = selector.get("matchLabels", {} if not selector else selector)
    return [labels[NAME]] if labels else []


def check_pod(name, pod):
    security = pod["securityContext"]
    check(security["runAsNonRoot"] and security["seccompProfile"]["type"] == "RuntimeDefault", f"{name}: its profile")
    check(pod["automountServiceAccountToken"] is False, f"{name}: a token of Kubernetes")
    check(pod["enableServiceLinks"] is False, f"{name}: variables of services")
    (container,) = pod["containers"]
    security = container["securityContext"]
    check(
        security["allowPrivilegeEscalation"] is False
        and security["readOnlyRootFilesystem"] is True
        and security["capabilities"] == {"drop": ["ALL"]},
        f"{name}: its container may too much",
    )
    resources = container["resources"]
    check("memory" in resources["limits"] and set(resources["requests"]) == {"cpu", "memory"}, f"{name}: its resources")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container.get(probe, {}).get("httpGet")
        check(asked is None or asked["port"] in ports[name], f"{name}: the port of its {probe}")
    mounted = {one["name"] for one in container.get("volumeMounts", [])}
    check(mounted == volumes_of(name, pod), f"{name}: its volumes")
    check_variables(name, container)


def volumes_of(name, pod):
    for volume in pod.get("volumes", []):
        if "configMap" in volume:
            check(volume["configMap"]["name"] in generated, f"{name}: {volume['name']} is a file of nobody")
    workload = next(one for one in workloads if one["spec"]["template"]["spec"] is pod)
    claims = workload["spec"].get("volumeClaimTemplates", [])
    return {one["name"] for one in pod.get("volumes", [])} | {one["metadata"]["name"] for one in claims}


def check_variables(name, container):
    image = container["image"]
    check(image in images or ":" in image, f"{name}: {image} is not under `images`")
    code = sources(f"{image}/src", "service-kit/src") if image in images else ""
    variables = container.get("env", [])
    used = {one for variable in variables for one in re.findall(r"\$\((\w+)\)", variable.get("value", ""))}
    before = set()
    for variable in variables:
        key = variable["name"]
        for one in re.findall(r"\$\((\w+)\)", variable.get("value", "")):
            check(one in before, f"{name}: {key} uses {one}, which does not stand before it")
        before.add(key)
        value = variable.get("valueFrom", {})
        if "configMapKeyRef" in value:
            of = value["configMapKeyRef"]
            check(of["key"] in config_maps.get(of["name"], ()), f"{name}: {of['name']} has no {of['key']}")
        if "secretKeyRef" in value:
            of = value["secretKeyRef"]
            check(of["name"] == "catalog" and of["key"] in secrets, f"{name}: nobody makes the secret {of['key']}")
        suffix = key.removeprefix(PREFIXES.get(image, ""))
        is_read = f'"{key}"' in code or (suffix != key and f'"{suffix}"' in code) or f"${key}" in broker
        check(is_read or key in used | KNOWN, f"{name}: nobody reads {key}")


for name, pod in pods.items():
    check_pod(name, pod)
for one in workloads:
    what = f"{one['kind']} {one['metadata']['name']}"
    if one["kind"] != "Job":
        template = one["spec"]["template"]["metadata"]["labels"]
        check(one["spec"]["selector"]["matchLabels"] == template, f"{what}: its selector")
    if one["kind"] == "StatefulSet":
        names = [service["metadata"]["name"] for service in of_kind("Service") if service["spec"].get("clusterIP") == "None"]
        check(one["spec"]["serviceName"] in names, f"{what}: its service")
for one in of_kind("Service", "PodDisruptionBudget", "NetworkPolicy"):
    what, spec = f"{one['kind']} {one['metadata']['name']}", one["spec"]
    chosen = selected(spec.get("selector", spec.get("podSelector")))
    check(set(chosen) <= set(pods), f"{what}: chooses {chosen}")
    asked = {port["targetPort"] for port in spec.get("ports", [])}
    for rule in spec.get("ingress", []):
        asked |= {port["port"] for port in rule["ports"]}
        for peer in rule.get("from", []):
            callers = selected(peer.get("podSelector", {}))
            check(set(callers) <= set(pods), f"{what}: lets {callers} in")
    for name in chosen:
        check(asked <= ports[name], f"{what}: {name} has no port {sorted(asked - ports[name])}")
for one in of_kind("HorizontalPodAutoscaler"):
    target = one["spec"]["scaleTargetRef"]
    found = [it for it in workloads if (it["kind"], it["metadata"]["name"]) == (target["kind"], target["name"])]
    check(found and "replicas" not in found[0]["spec"], f"{target['name']}: its replicas are the autoscaler's")

# Kustomize reads no files outside its folder.
original = Path("deploy/nats/nats.conf").read_text()
users = original[original.index("# A user for each") :]
check(broker.endswith(users), "stores/nats.conf: the users are not those of deploy/nats/nats.conf")
copy, original = (ROOT / "stores/create-databases.sql"), Path("deploy/postgres/create-databases.sql")
check(copy.read_text() == original.read_text(), f"{copy} is not {original}")

for fault in faults:
    print(fault)
sys.exit(bool(faults))
