//! The Helm chart, as Helm renders it and as the schemas of Kubernetes have it.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use engines::tools;
use serde_json::Value;

use crate::{SERVICES, USER, assert_has_version, documents, roles, root, run, settings, texts};

/// Which Kubernetes it is held against.
const KUBERNETES: &str = "1.33";
/// In every database URL below; where it is seen, a secret is seen.
const PASSWORD: &str = "the-password";

const URLS: &str = "
stores:
  urls:
    user: mongodb://user:the-password@mongo/user
    event: mongodb://event:the-password@mongo/event
    ticket: mysql://ticket:the-password@mysql/ticket
    feedback: cockroach://feedback:the-password@cockroach/feedback
    notification: postgres://notification:the-password@postgres/notification
    analytics: postgres://analytics:the-password@postgres/analytics
mail: {existingSecret: mail}
";
const BY_LAG: &str = "
stores: {existingSecret: databases}
keys: {existingSecret: keys}
mail: {existingSecret: mail}
roles:
  event: {autoscaling: {by: lag}}
  ticket: {autoscaling: {by: lag, maxReplicas: 5}}
gateway: {ingress: {enabled: true, host: tickets.example.org, className: nginx, tlsSecret: tls}}
networkPolicy: {metricsFrom: [], gatewayFrom: [{namespaceSelector: {}}], egressTo: [{ipBlock: {cidr: 10.0.0.0/8}}]}
podMonitor: {enabled: true}
otlpUrl: http://collector:4317
adminEmails: [ada@example.org]
";

fn helm() -> Option<PathBuf> {
    engines::wanted(
        "helm",
        tools::downloaded("helm", "helm/helm", "go install helm.sh/helm/v3/cmd/helm@v3.19.0"),
    )
}

/// What Helm makes of the chart with these values.
fn render(values: &str, options: &[&str]) -> Option<Result<String, String>> {
    let helm = helm()?;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("values.yaml");
    fs::write(&file, values).unwrap();
    let mut command = Command::new(helm);
    command.env("HOME", directory.path()).args(["template", "sale"]).arg(root().join("deploy/kubernetes"));
    command
        .args(["--namespace", "tickets", "--kube-version", &format!("{KUBERNETES}.0"), "--values"])
        .arg(&file);
    Some(run(command.args(options)))
}

/// The manifests with each of two sets of values.
fn manifests() -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for values in [URLS, BY_LAG] {
        let printed = render(values, &[])?.unwrap();
        assert_eq!(settings::unknown(&printed), Vec::<String>::new());
        all.extend(documents(&printed));
    }
    Some(all)
}

fn of_kind<'a>(manifests: &'a [Value], kind: &str) -> Vec<&'a Value> {
    manifests.iter().filter(|manifest| manifest["kind"] == kind).collect()
}

fn name(manifest: &Value) -> &str {
    manifest["metadata"]["name"].as_str().unwrap()
}

fn component(manifest: &Value) -> &str {
    manifest["metadata"]["labels"]["app.kubernetes.io/component"].as_str().unwrap()
}

/// The pods of deployments and jobs.
fn pods(manifests: &[Value]) -> Vec<(&str, &Value)> {
    let with_pods =
        manifests.iter().filter(|manifest| manifest["kind"] == "Deployment" || manifest["kind"] == "Job");
    with_pods.map(|manifest| (name(manifest), &manifest["spec"]["template"]["spec"])).collect()
}

fn containers(pod: &Value) -> Vec<&Value> {
    let of = |kind: &str| pod[kind].as_array().into_iter().flatten();
    of("initContainers").chain(of("containers")).collect()
}

#[test]
fn kubernetes_accepts_every_manifest() {
    let found = tools::downloaded(
        "kubernetes-validate",
        "kubernetes-validate/bin/kubernetes-validate",
        "pip install kubernetes-validate",
    );
    let Some(validate) = engines::wanted("kubernetes-validate", found) else { return };
    for values in [URLS, BY_LAG] {
        let Some(printed) = render(values, &[]) else { return };
        // What is not of Kubernetes itself has no schema there.
        let printed = printed.unwrap();
        let parts = printed.split("\n---\n");
        let is_builtin =
            |part: &&str| !part.contains("apiVersion: keda.sh") && !part.contains("monitoring.coreos.com");
        let builtin: Vec<&str> = parts.filter(is_builtin).collect();
        assert!(builtin.len() > 30, "{} manifests", builtin.len());
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("manifests.yaml");
        fs::write(&file, builtin.join("\n---\n")).unwrap();
        let check =
            || run(Command::new(&validate).args(["-k", KUBERNETES, "--strict", "--quiet"]).arg(&file));
        assert_eq!(check(), Ok(String::new()));
        // It would say so otherwise.
        fs::write(&file, builtin.join("\n---\n").replace("maxSurge:", "maxSurging:")).unwrap();
        assert!(check().is_err());
    }
}

#[test]
fn every_container_is_confined_and_limited() {
    let Some(manifests) = manifests() else { return };
    assert_eq!(pods(&manifests).len(), 2 * 8 + 3);
    for (name, pod) in pods(&manifests) {
        let security = &pod["securityContext"];
        assert_eq!(
            (&security["runAsNonRoot"], &security["runAsUser"]),
            (&true.into(), &USER.into()),
            "{name}"
        );
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        assert_eq!(pod["automountServiceAccountToken"], name.ends_with("-make-keys"), "{name}");
        for container in containers(pod) {
            let security = &container["securityContext"];
            assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(texts(&security["capabilities"]["drop"]), ["ALL"], "{name}");
            for resource in ["cpu", "memory"] {
                assert!(container["resources"]["limits"][resource].is_string(), "{name}: {resource}");
                assert!(container["resources"]["requests"][resource].is_string(), "{name}: {resource}");
            }
            assert_has_version(container["image"].as_str().unwrap());
        }
    }
}

#[test]
fn a_role_says_how_it_is_and_goes_only_when_its_successor_is_ready() {
    let Some(manifests) = manifests() else { return };
    let deployments = of_kind(&manifests, "Deployment");
    let there: BTreeSet<&str> = deployments.iter().map(|deployment| component(deployment)).collect();
    assert_eq!(there, roles().into_iter().collect());
    for deployment in deployments {
        let role = component(deployment);
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(texts(&container["args"]), ["serve", role]);
        for (probe, path) in
            [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
        {
            assert_eq!(container[probe]["httpGet"]["path"], path, "{role}");
            assert_eq!(container[probe]["httpGet"]["port"], "admin", "{role}");
        }
        assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0, "{role}");
        let drain = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
        assert!(drain > 0 && drain < pod["terminationGracePeriodSeconds"].as_u64().unwrap(), "{role}");
        // Whoever scales it is not overruled by a number in the release.
        let is_scaled = ["HorizontalPodAutoscaler", "ScaledObject"]
            .iter()
            .any(|kind| of_kind(&manifests, kind).iter().any(|scaler| component(scaler) == role));
        assert_eq!(deployment["spec"]["replicas"].is_null(), is_scaled, "{role}");
    }
}

#[test]
fn what_belongs_to_a_role_finds_its_pods() {
    let Some(manifests) = manifests() else { return };
    for deployment in of_kind(&manifests, "Deployment") {
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let matches = |selector: &Value| {
            let selector = selector.as_object().unwrap();
            !selector.is_empty() && selector.iter().all(|(label, value)| labels[label] == *value)
        };
        let same = |kind: &str| {
            of_kind(&manifests, kind).into_iter().find(|one| name(one) == name(deployment)).unwrap()
        };
        assert!(matches(&deployment["spec"]["selector"]["matchLabels"]));
        assert!(matches(&same("Service")["spec"]["selector"]));
        assert!(matches(&same("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]));
    }
}

#[test]
fn services_scale_by_the_lag_of_the_topics_that_they_consume() {
    let Some(manifests) = manifests() else { return };
    let scaled = of_kind(&manifests, "ScaledObject");
    assert_eq!(scaled.len(), 2);
    for object in scaled {
        let role = component(object);
        assert_eq!(object["spec"]["scaleTargetRef"]["name"], format!("sale-{role}"));
        let consumes = fs::read_to_string(root().join(format!("services/{role}/src/lib.rs"))).unwrap();
        let consumes =
            consumes.split("CONSUMES: &[Topic] = &[").nth(1).unwrap().split(']').next().unwrap().to_owned();
        let triggers = object["spec"]["triggers"].as_array().unwrap();
        assert_eq!(triggers.len(), consumes.matches("Topic::").count(), "{consumes}");
        for trigger in triggers {
            let topic = trigger["metadata"]["topic"].as_str().unwrap().replace('-', "");
            assert!(consumes.to_lowercase().contains(&format!("topic::{topic}")), "{topic} in {consumes}");
            assert_eq!(trigger["metadata"]["consumerGroup"], format!("boxoffice-{role}"));
            assert!(trigger["metadata"]["lagThreshold"].is_string());
        }
    }
}

#[test]
fn whatever_is_not_allowed_is_refused_by_the_network() {
    let Some(manifests) = manifests() else { return };
    let policies = of_kind(&manifests, "NetworkPolicy");
    let named = |ending: &str| {
        let found: Vec<&&Value> = policies.iter().filter(|policy| name(policy).ends_with(ending)).collect();
        assert_eq!(found.len(), 2, "{ending}");
        found[0]
    };
    let deny = &named("-deny")["spec"];
    assert_eq!(texts(&deny["policyTypes"]), ["Ingress", "Egress"]);
    assert!(deny["ingress"].is_null() && deny["egress"].is_null());
    for (_, pod) in pods(&manifests) {
        assert!(pod["hostNetwork"].is_null());
    }
    let calls = &named("-services")["spec"];
    assert_eq!(texts(&calls["podSelector"]["matchExpressions"][0]["values"]), SERVICES);
    let from = calls["ingress"][0]["from"].as_array().unwrap();
    assert_eq!(from.len(), 1);
    let callers = texts(&from[0]["podSelector"]["matchExpressions"][0]["values"]);
    assert_eq!(callers.into_iter().collect::<BTreeSet<_>>(), roles().into_iter().collect());
    assert_eq!(calls["ingress"][0]["ports"], serde_json::json!([{"protocol": "TCP", "port": 9000}]));
}

#[test]
fn secrets_are_in_secrets_and_private_keys_where_they_are_needed() {
    let Some(manifests) = manifests() else { return };
    for manifest in &manifests {
        let is_secret = manifest["kind"] == "Secret";
        assert_eq!(
            manifest.to_string().contains(PASSWORD),
            is_secret,
            "{} {}",
            manifest["kind"],
            name(manifest)
        );
    }
    for deployment in of_kind(&manifests, "Deployment") {
        let keys = &deployment["spec"]["template"]["spec"]["volumes"][0]["secret"]["items"];
        let files: BTreeSet<&str> =
            keys.as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect();
        let mut expected = BTreeSet::from(["access-token.pub.pem"]);
        expected.extend(match component(deployment) {
            "user" => Some("access-token.pk8"),
            "ticket" => Some("ticket.pk8"),
            "web" => Some("session.key"),
            _ => None,
        });
        assert_eq!(files, expected, "{}", component(deployment));
    }
}

#[test]
fn the_ingress_leads_to_the_rest_surface_and_to_the_pages() {
    let Some(manifests) = manifests() else { return };
    let ingress = of_kind(&manifests, "Ingress");
    let paths = ingress[0]["spec"]["rules"][0]["http"]["paths"].as_array().unwrap();
    let leads = |path: &Value| {
        let service = path["backend"]["service"]["name"].as_str().unwrap().to_owned();
        (path["path"].as_str().unwrap().to_owned(), service)
    };
    let leads: BTreeSet<(String, String)> = paths.iter().map(leads).collect();
    for (path, service) in [("/v1", "sale-gateway"), ("/openapi.json", "sale-gateway"), ("/", "sale-web")] {
        assert!(leads.contains(&(path.to_owned(), service.to_owned())), "{leads:?}");
    }
    let with_tls = of_kind(&manifests, "Deployment").into_iter().filter(|one| component(one) == "web").nth(1);
    let container = &with_tls.unwrap()["spec"]["template"]["spec"]["containers"][0];
    let url = container["env"].as_array().unwrap().iter().find(|one| one["name"] == "BOXOFFICE_PUBLIC_URL");
    assert_eq!(url.unwrap()["value"], "https://tickets.example.org");
}

#[test]
fn tables_and_keys_are_made_before_a_release() {
    let Some(Ok(printed)) = render(URLS, &[]) else { return };
    let manifests = documents(&printed);
    let weight = |name_: &str| {
        let found = manifests.iter().find(|one| name(one) == name_ && one["kind"] != "NetworkPolicy");
        let found = found.unwrap_or_else(|| panic!("{name_} is there"));
        let annotations = &found["metadata"]["annotations"];
        assert_eq!(annotations["helm.sh/hook"], "pre-install,pre-upgrade", "{name_}");
        annotations["helm.sh/hook-weight"].as_str().unwrap().parse::<i32>().unwrap()
    };
    assert!(weight("sale-make-keys") < weight("sale-migrate"));
    assert!(weight("sale-migrate-stores") < weight("sale-migrate"));
}

#[test]
fn values_that_cannot_be_are_refused_by_name() {
    for (values, options, why) in [
        ("mail: {existingSecret: mail}", vec![], "stores.urls.user or stores.existingSecret is needed"),
        ("stores: {existingSecret: s}", vec![], "mail.existingSecret is needed"),
        (URLS, vec!["--set", "image.tag=latest"], "tag"),
        (URLS, vec!["--set", "replicaz=3"], "replicaz"),
        (URLS, vec!["--set", "stores.urls.user=user"], "user"),
        (URLS, vec!["--set", "log.relay=maybe"], "relay"),
        (URLS, vec!["--set", "roles.gateway.autoscaling.by=lag"], "roles.gateway has no topics"),
    ] {
        let Some(rendered) = render(values, &options) else { return };
        let error = rendered.unwrap_err();
        assert!(error.contains(why), "{why} in {error}");
    }
}
