// Validates resources (a JSON array on standard input) with compiled JSON schemas; prints what is wrong as a JSON array.
//   node compiled_schemas.mjs NODE_MODULES < resources.json
//
// The schemas allow unknown fields. A validator reads each field that it knows: one that it never read is unknown to it.
import { readFileSync } from "node:fs";

const [modules] = process.argv.slice(2);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** Where the schema of an apiVersion and kind is. */
function place(apiVersion, kind) {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  const builtIn = { core: "Core", apps: "Apps", policy: "Policy", "networking.k8s.io": "Networking" }[group];
  if (builtIn) return `kubernetes-models/_schemas/IoK8sApi${builtIn}${capital(version)}${kind}.js`;
  if (group === "gateway.networking.k8s.io")
    return `@kubernetes-models/gateway-api/_schemas/IoK8sSigsGatewayApiApis${capital(version)}${kind}.js`;
  if (group === "monitoring.coreos.com") {
    const name = `ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoring${capital(version)}${kind}.js`;
    return `@kubernetes-models/prometheus-operator/_schemas/${name}`;
  }
  throw new Error(`no schema is known for ${apiVersion} ${kind}`);
}

/** The value, and into `unread` what says afterwards which of its fields were never read. */
function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const read = new Set();
  const copy = Array.isArray(value) ? [] : {};
  for (const [key, inner] of Object.entries(value)) copy[key] = watched(inner, `${path}.${key}`, unread);
  unread.push(() => Object.keys(value).filter((key) => !read.has(key)).map((key) => `${path}.${key}`));
  return new Proxy(copy, {
    get(target, key) {
      read.add(String(key));
      return target[key];
    },
  });
}

const problems = [];
for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  const { validate } = await import(`${modules}/${place(resource.apiVersion, resource.kind)}`);
  const unread = [];
  const name = `${resource.kind} ${resource.metadata?.name}`;
  const valid = validate(watched(resource, "$", unread));
  for (const error of valid ? [] : validate.errors) problems.push(`${name}: ${error.instancePath}: ${error.message}`);
  if (valid) for (const path of unread.flatMap((left) => left())) problems.push(`${name}: ${path}: unknown field`);
}
console.log(JSON.stringify(problems));
