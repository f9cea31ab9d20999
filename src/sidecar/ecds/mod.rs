//! Envoy's extension configuration discovery (ECDS): the filter with the newest bundle in its configuration, as a file or
//! over gRPC. For proxies that cannot or may not call the sidecar from the filter.

mod extension;
mod file;
mod grpc;

pub(crate) use extension::{Current, Extension};
pub(crate) use file::keep as keep_file;
pub(crate) use grpc::{Heard, serve};
