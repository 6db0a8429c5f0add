#!/usr/bin/env bash
# Checks deploy/ and docs/operate.md: files parse; every metric of alerts and dashboard exists in the source;
# every alert and every key of the configuration is documented. promtool and nats-server check more where
# they are on the path, and the program itself where it was built.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$PWD/.bastion/tools/bin"

python3 - << 'PY'
import json, pathlib, re, sys

faults = []


def text(path):
    return pathlib.Path(path).read_text()


# Files parse.
deploy = pathlib.Path("deploy")
dashboard = json.loads(text("deploy/grafana/dashboard.json"))
try:
    import yaml
    for path in sorted([*deploy.rglob("*.yml"), *deploy.rglob("*.yaml")]):
        try:
            yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            faults.append(f"{path}: {error}")
except ImportError:
    print("warning: YAML was NOT checked: python3-yaml is missing", file=sys.stderr)
try:
    import tomllib
    compose_config = tomllib.loads(text("deploy/bastion.toml"))
except ImportError:
    compose_config = {}
    print("warning: TOML was NOT checked: python3 is older than 3.11", file=sys.stderr)

# Metrics exist: those that the source counts or describes, with what a histogram adds; Prometheus's own;
# node_exporter's.
sources = "".join(path.read_text() for path in pathlib.Path("node/src").rglob("*.rs"))
known = set(re.findall(r'(?:gauge|counter|histogram)!\(\s*"(bastion_[a-z0-9_]+)"', sources))
for name in re.findall(r'histogram!\(\s*"(bastion_[a-z0-9_]+)"', sources):
    known |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
known |= {
    "node_cpu_seconds_total", "node_filesystem_avail_bytes", "node_filesystem_size_bytes",
    "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes",
}
metric = re.compile(r"\b(?:bastion|node)_[a-zA-Z0-9_]+")
alerts = text("deploy/prometheus/alerts.yml")


def expressions(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("expr", "query", "definition") and isinstance(inner, str):
                yield inner
            else:
                yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)


named = {name: "deploy/prometheus/alerts.yml" for name in metric.findall(alerts)}
for expression in expressions(dashboard):
    named |= {name: "deploy/grafana/dashboard.json" for name in metric.findall(expression)}
for name, place in sorted(named.items()):
    if name not in known:
        faults.append(f"{place}: there is no metric {name}")

# Every alert has what it must have, and its section.
guide = text("docs/operate.md")
headings = re.findall(r"^#+ (.+)$", guide, re.M)
anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
for alert in re.split(r"^      - alert: ", alerts, flags=re.M)[1:]:
    name = alert.split()[0]
    for part in ("expr:", "for:", "severity:", "summary:", "description:", "runbook:"):
        if part not in alert:
            faults.append(f"alert {name} has no {part[:-1]}")
    runbook = re.search(r"runbook: docs/operate\.md#(\S+)", alert)
    if not runbook or runbook[1] != name.lower() or runbook[1] not in anchors:
        faults.append(f"alert {name} has no section of its own in docs/operate.md")
for heading in headings:
    if re.fullmatch(r"Bastion[A-Z]\w+", heading) and f"- alert: {heading}\n" not in alerts:
        faults.append(f"docs/operate.md describes the alert {heading}, which does not exist")

# Links within the guide lead somewhere.
for anchor in re.findall(r"\]\(#([^)]+)\)", guide):
    if anchor not in anchors:
        faults.append(f"docs/operate.md: no section #{anchor}")

# Every key of the configuration is documented, and no other.
config = text("node/src/service/config.rs")
structs = dict(re.findall(r"pub struct (\w+) \{(.*?)^\}", config, re.M | re.S))
fields = {name: re.findall(r"^    pub (\w+): ([^,]+),", body, re.M) for name, body in structs.items()}
keys = {
    f"{section}.{key.replace('_', '-')}"
    for section, kind in fields["NodeConfig"]
    for key, _ in fields[kind]
}
documented = set(re.findall(r"^\| `(\w+\.[a-z0-9-]+)` \|", guide, re.M))
faults += [f"docs/operate.md does not document the key {key}" for key in sorted(keys - documented)]
faults += [f"docs/operate.md documents the key {key}, which does not exist" for key in sorted(documented - keys)]
for section, table in compose_config.items():
    if isinstance(table, dict):
        faults += [f"deploy/bastion.toml: no key {section}.{key}" for key in table if f"{section}.{key}" not in keys]

# Variables of compose.yaml stand in the example, and the other way round.
used = set(re.findall(r"\$\{(\w+)", text("deploy/compose.yaml")))
given = set(re.findall(r"^(\w+)=", text("deploy/.env.example"), re.M))
faults += [f"deploy/.env.example lacks {name}" for name in sorted(used - given)]
faults += [f"deploy/compose.yaml does not use {name}" for name in sorted(given - used)]

if faults:
    sys.exit("\n".join(faults))
print(f"{len(named)} metrics, {alerts.count('- alert:')} alerts, {len(keys)} keys, {len(headings)} sections")
PY

if command -v promtool > /dev/null; then
  (cd deploy/prometheus && promtool check config prometheus.yml && promtool test rules alerts.test.yml)
else
  echo "promtool is not on the path: rules are not tested" >&2
fi
if command -v nats-server > /dev/null; then
  NATS_PASSWORD_NODE=a NATS_PASSWORD_WORKER=b nats-server -t -c deploy/nats/nats.conf
fi
if [ -x target/release/bastion ]; then
  target/release/bastion config validate --config deploy/bastion.toml
fi
