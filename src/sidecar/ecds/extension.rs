//! The filter as Envoy is told to load it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envoy_types::pb::envoy::config::core::v3::async_data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::data_source;
use envoy_types::pb::envoy::config::core::v3::{AsyncDataSource, DataSource, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{FailurePolicy, PluginConfig, VmConfig};
use envoy_types::pb::google::protobuf::{Any, BoolValue, StringValue};
use serde_json::{Map, Value, json};
use tonic::codegen::Bytes;

/// The type of what is discovered.
pub(super) const TYPE: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const STRING: &str = "type.googleapis.com/google.protobuf.StringValue";
const RUNTIME: &str = "envoy.wasm.runtime.v8";

/// A bundle as it is published.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    /// Its version.
    pub(crate) version: u64,
    /// Manifest and parts in one piece.
    pub(crate) package: Vec<u8>,
}

/// The filter as Envoy is told to load it.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    /// The name that the listener's configuration has for it.
    pub(crate) name: String,
    /// The module's path, as Envoy sees it.
    pub(crate) module: String,
    /// Counters belong to this id.
    pub(crate) vm_id: String,
    /// The plugin configuration without a bundle.
    pub(crate) plugin: Map<String, Value>,
}

impl Extension {
    /// The plugin configuration with a bundle.
    fn configuration(&self, current: Option<&Current>) -> String {
        let mut plugin = self.plugin.clone();
        if let Some(current) = current {
            plugin.insert("bundle".to_owned(), STANDARD.encode(&current.package).into());
        }
        Value::Object(plugin).to_string()
    }

    /// The file that Envoy's `path_config_source` reads: a discovery response in JSON.
    pub(crate) fn file(&self, current: Option<&Current>) -> String {
        let resource = json!({
            "@type": TYPE,
            "name": self.name,
            "typed_config": {
                "@type": WASM,
                "config": {
                    "name": self.name,
                    "failure_policy": "FAIL_RELOAD",
                    "allow_on_headers_stop_iteration": true,
                    "vm_config": {
                        "vm_id": self.vm_id,
                        "runtime": RUNTIME,
                        "code": { "local": { "filename": self.module } },
                    },
                    "configuration": { "@type": STRING, "value": self.configuration(current) },
                },
            },
        });
        let version = current.map_or(0, |current| current.version).to_string();
        format!("{:#}\n", json!({ "version_info": version, "resources": [resource] }))
    }

    /// The same as protobuf.
    pub(super) fn resource(&self, current: Option<&Current>) -> Any {
        let code = DataSource {
            specifier: Some(data_source::Specifier::Filename(self.module.clone())),
            ..DataSource::default()
        };
        let vm = VmConfig {
            vm_id: self.vm_id.clone(),
            runtime: RUNTIME.to_owned(),
            code: Some(AsyncDataSource { specifier: Some(Specifier::Local(code)) }),
            ..VmConfig::default()
        };
        let configuration = StringValue { value: self.configuration(current) };
        let plugin = PluginConfig {
            name: self.name.clone(),
            failure_policy: FailurePolicy::FailReload.into(),
            allow_on_headers_stop_iteration: Some(BoolValue { value: true }),
            vm: Some(Vm::VmConfig(vm)),
            configuration: Some(any(STRING, &configuration)),
            ..PluginConfig::default()
        };
        let typed = any(WASM, &Wasm { config: Some(plugin) });
        any(TYPE, &TypedExtensionConfig { name: self.name.clone(), typed_config: Some(typed) })
    }
}

fn any(kind: &str, message: &impl prost::Message) -> Any {
    Any { type_url: kind.to_owned(), value: Bytes::from(message.encode_to_vec()).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension() -> Extension {
        let plugin = json!({ "mode": "enforce" }).as_object().unwrap().clone();
        Extension { name: "azeotrope".into(), module: "/m.wasm".into(), vm_id: "v".into(), plugin }
    }

    #[test]
    fn the_file_has_the_bundle_in_the_plugin_configuration() {
        let current = Current { version: 7, package: vec![1, 2, 3] };
        let file: Value = serde_json::from_str(&extension().file(Some(&current))).unwrap();
        assert_eq!(file["version_info"], "7");
        let config = &file["resources"][0]["typed_config"]["config"];
        let plugin: Value = serde_json::from_str(config["configuration"]["value"].as_str().unwrap()).unwrap();
        assert_eq!(plugin, json!({ "mode": "enforce", "bundle": "AQID" }));
        assert_eq!(config["vm_config"]["code"]["local"]["filename"], "/m.wasm");
        assert!(!extension().file(None).contains("bundle"));
    }
}
