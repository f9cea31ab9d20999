//! The host functions of ABI 0.2.1, as proxy-wasm-cpp-host answers them.

use crate::memory::{BAD_ARGUMENT, CAS_MISMATCH, INTERNAL_FAILURE, NOT_FOUND, Status, give, read, reenter, write};
use crate::stream::{Headers, Reply, deserialise, serialise};
use crate::vm::{Dispatched, Fault, State};
use wasmi::{Caller, Linker};

/// Every status that a host may return, by proxy-wasm's list, and one that no list has.
pub const STATUSES: &[u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 4_711];

/// Everything a host function can fail with. A host that cannot even say which status is covered by the last of
/// [`STATUSES`].
const UNIMPLEMENTED: Status = 12;

macro_rules! functions {
    ($($name:ident($caller:ident $(, $argument:ident: $kind:ty)* $(,)?) $body:block)*) => {
        /// The names of all host functions.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Defines what the profile has.
        pub(crate) fn define(linker: &mut Linker<State>, missing: &[&str]) -> Result<(), wasmi::Error> {
            $(
                if !missing.contains(&stringify!($name)) {
                    linker.func_wrap(
                        "env",
                        stringify!($name),
                        |mut $caller: Caller<'_, State>, $($argument: $kind),*| -> u32 {
                            if let Some(status) = called(&mut $caller, stringify!($name)) {
                                return status;
                            }
                            let mut answer = || -> Result<(), Status> { $body };
                            answer().err().unwrap_or(0)
                        },
                    )?;
                }
            )*
            Ok(())
        }
    };
}

/// Counts a call; a status if it is to fail.
fn called(caller: &mut Caller<'_, State>, name: &'static str) -> Option<Status> {
    let state = caller.data_mut();
    *state.calls.entry(name).or_default() += 1;
    match state.faults.get(name) {
        Some(Fault::Status(status)) => Some(*status),
        _ => None,
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The header map of the exchange that the callback is about.
fn map<'a>(caller: &'a mut Caller<'_, State>, kind: u32) -> Result<&'a mut Headers, Status> {
    let state = caller.data_mut();
    if kind == 6 {
        return state.answer.as_mut().map(|answer| &mut answer.headers).ok_or(BAD_ARGUMENT);
    }
    state.stream().and_then(|stream| stream.map(kind)).ok_or(BAD_ARGUMENT)
}

fn buffer<'a>(caller: &'a mut Caller<'_, State>, kind: u32) -> Result<&'a mut Vec<u8>, Status> {
    let state = caller.data_mut();
    match kind {
        4 => state.answer.as_mut().map(|answer| &mut answer.body).ok_or(NOT_FOUND),
        7 => state.configuring.as_mut().ok_or(NOT_FOUND),
        _ => state.stream().and_then(|stream| stream.buffer(kind)).ok_or(NOT_FOUND),
    }
}

/// Bytes that a faulty host gives in place of the right ones.
fn garbled(caller: &mut Caller<'_, State>, name: &str) -> Option<Vec<u8>> {
    match caller.data().faults.get(name) {
        Some(Fault::Garbage(bytes)) => Some(bytes.clone()),
        _ => None,
    }
}

functions! {
    proxy_log(caller, level: u32, data: u32, size: u32) {
        let line = text(read(&mut caller, data, size)?);
        caller.data().process.tell(level, line);
        Ok(())
    }
    proxy_get_log_level(caller, level: u32) {
        write(&mut caller, level, &2_u32.to_le_bytes())
    }
    proxy_get_current_time_nanoseconds(caller, time: u32) {
        let state = caller.data_mut();
        let now = state.now();
        write(&mut caller, time, &now.to_le_bytes())
    }
    proxy_get_buffer_bytes(caller, kind: u32, start: u32, max: u32, data: u32, size: u32) {
        if let Some(bytes) = garbled(&mut caller, "proxy_get_buffer_bytes") {
            return give(&mut caller, &bytes, data, size);
        }
        let end = start.checked_add(max).ok_or(BAD_ARGUMENT)? as usize;
        let buffer = buffer(&mut caller, kind)?;
        let bytes = buffer.get(start as usize..end.min(buffer.len())).unwrap_or_default().to_vec();
        give(&mut caller, &bytes, data, size)
    }
    proxy_get_buffer_status(caller, kind: u32, size: u32, flags: u32) {
        let length = u32::try_from(buffer(&mut caller, kind)?.len()).unwrap_or(u32::MAX);
        write(&mut caller, size, &length.to_le_bytes())?;
        write(&mut caller, flags, &0_u32.to_le_bytes())
    }
    proxy_set_buffer_bytes(caller, kind: u32, start: u32, max: u32, data: u32, size: u32) {
        let bytes = read(&mut caller, data, size)?;
        caller.data_mut().mutates(bytes.len())?;
        let buffer = buffer(&mut caller, kind)?;
        match start as usize {
            0 if max == 0 => { buffer.splice(0..0, bytes); }
            0 if max as usize >= buffer.len() => *buffer = bytes,
            at if at >= buffer.len() => buffer.extend_from_slice(&bytes),
            _ => return Err(BAD_ARGUMENT),
        }
        Ok(())
    }
    proxy_get_header_map_pairs(caller, kind: u32, data: u32, size: u32) {
        if let Some(bytes) = garbled(&mut caller, "proxy_get_header_map_pairs") {
            return give(&mut caller, &bytes, data, size);
        }
        let bytes = serialise(map(&mut caller, kind)?);
        give(&mut caller, &bytes, data, size)
    }
    proxy_set_header_map_pairs(caller, kind: u32, data: u32, size: u32) {
        let bytes = read(&mut caller, data, size)?;
        caller.data_mut().mutates(bytes.len())?;
        *map(&mut caller, kind)? = deserialise(&bytes).ok_or(BAD_ARGUMENT)?;
        Ok(())
    }
    proxy_get_header_map_size(caller, kind: u32, size: u32) {
        let length = u32::try_from(serialise(map(&mut caller, kind)?).len()).unwrap_or(u32::MAX);
        write(&mut caller, size, &length.to_le_bytes())
    }
    proxy_get_header_map_value(caller, kind: u32, key: u32, key_size: u32, data: u32, size: u32) {
        if let Some(bytes) = garbled(&mut caller, "proxy_get_header_map_value") {
            return give(&mut caller, &bytes, data, size);
        }
        let key = read(&mut caller, key, key_size)?;
        let map = map(&mut caller, kind)?;
        let value = map.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()).ok_or(NOT_FOUND)?;
        give(&mut caller, &value, data, size)
    }
    proxy_add_header_map_value(caller, kind: u32, key: u32, key_size: u32, value: u32, value_size: u32) {
        let (key, value) = (read(&mut caller, key, key_size)?, read(&mut caller, value, value_size)?);
        caller.data_mut().mutates(key.len() + value.len())?;
        map(&mut caller, kind)?.push((key, value));
        Ok(())
    }
    proxy_replace_header_map_value(caller, kind: u32, key: u32, key_size: u32, value: u32, value_size: u32) {
        let (key, value) = (read(&mut caller, key, key_size)?, read(&mut caller, value, value_size)?);
        caller.data_mut().mutates(key.len() + value.len())?;
        let map = map(&mut caller, kind)?;
        match map.iter().position(|(name, _)| *name == key) {
            Some(place) => {
                map.retain({
                    let mut seen = 0;
                    move |(name, _)| {
                        seen += usize::from(*name == key);
                        *name != key || seen == 1
                    }
                });
                map[place].1 = value;
            }
            None => map.push((key, value)),
        }
        Ok(())
    }
    proxy_remove_header_map_value(caller, kind: u32, key: u32, key_size: u32) {
        let key = read(&mut caller, key, key_size)?;
        map(&mut caller, kind)?.retain(|(name, _)| *name != key);
        Ok(())
    }
    proxy_get_property(caller, path: u32, path_size: u32, data: u32, size: u32) {
        let path = read(&mut caller, path, path_size)?;
        let value = match garbled(&mut caller, "proxy_get_property") {
            Some(bytes) => bytes,
            None => caller.data_mut().property(&path).ok_or(NOT_FOUND)?,
        };
        give(&mut caller, &value, data, size)
    }
    proxy_set_property(caller, path: u32, path_size: u32, value: u32, value_size: u32) {
        let (path, value) = (read(&mut caller, path, path_size)?, read(&mut caller, value, value_size)?);
        caller.data_mut().stream().ok_or(NOT_FOUND)?.properties.insert(path, value);
        Ok(())
    }
    proxy_get_shared_data(caller, key: u32, key_size: u32, data: u32, size: u32, cas: u32) {
        let key = read(&mut caller, key, key_size)?;
        let found = caller.data().process.shared().get(&key);
        let (mut value, version) = found.ok_or(NOT_FOUND)?;
        if let Some(bytes) = garbled(&mut caller, "proxy_get_shared_data") {
            value = bytes;
        }
        write(&mut caller, cas, &version.to_le_bytes())?;
        give(&mut caller, &value, data, size)
    }
    proxy_set_shared_data(caller, key: u32, key_size: u32, value: u32, value_size: u32, cas: u32) {
        let (key, value) = (read(&mut caller, key, key_size)?, read(&mut caller, value, value_size)?);
        let set = caller.data().process.shared().set(&key, &value, cas);
        if set { Ok(()) } else { Err(CAS_MISMATCH) }
    }
    proxy_register_shared_queue(caller, _name: u32, _name_size: u32, _token: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_resolve_shared_queue(caller, _vm: u32, _vm_size: u32, _name: u32, _name_size: u32, _token: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_enqueue_shared_queue(caller, _token: u32, _value: u32, _value_size: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_dequeue_shared_queue(caller, _token: u32, _data: u32, _size: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_http_call(
        caller, cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, body: u32, body_size: u32,
        _trailers: u32, _trailers_size: u32, timeout: u32, token: u32,
    ) {
        let cluster = text(read(&mut caller, cluster, cluster_size)?);
        let headers = deserialise(&read(&mut caller, headers, headers_size)?).ok_or(BAD_ARGUMENT)?;
        let body = read(&mut caller, body, body_size)?;
        let given = caller.data_mut().dispatch(Dispatched { token: 0, cluster, headers, body, timeout })?;
        write(&mut caller, token, &given.to_le_bytes())
    }
    proxy_grpc_call(
        caller, _service: u32, _service_size: u32, _name: u32, _name_size: u32, _method: u32, _method_size: u32,
        _metadata: u32, _metadata_size: u32, _message: u32, _message_size: u32, _timeout: u32, _token: u32,
    ) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_grpc_stream(
        caller, _service: u32, _service_size: u32, _name: u32, _name_size: u32, _method: u32, _method_size: u32,
        _metadata: u32, _metadata_size: u32, _token: u32,
    ) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_grpc_send(caller, _token: u32, _message: u32, _message_size: u32, _end: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_grpc_cancel(caller, _token: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_grpc_close(caller, _token: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_get_status(caller, _status: u32, _data: u32, _size: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_define_metric(caller, kind: u32, name: u32, size: u32, id: u32) {
        let name = text(read(&mut caller, name, size)?);
        let given = caller.data().process.define(kind, &name);
        write(&mut caller, id, &given.to_le_bytes())
    }
    proxy_record_metric(caller, id: u32, value: u64) {
        caller.data_mut().process.change(id, |_, _| Some(value)).ok_or(BAD_ARGUMENT)
    }
    proxy_increment_metric(caller, id: u32, by: i64) {
        const COUNTER: u32 = 0;
        let grown = |kind, value: u64| (kind != COUNTER || by > 0).then(|| value.saturating_add_signed(by));
        caller.data_mut().process.change(id, grown).ok_or(BAD_ARGUMENT)
    }
    proxy_get_metric(caller, id: u32, value: u32) {
        let mut found = 0;
        let look = |_, now| { found = now; Some(now) };
        caller.data_mut().process.change(id, look).ok_or(BAD_ARGUMENT)?;
        write(&mut caller, value, &found.to_le_bytes())
    }
    proxy_call_foreign_function(caller, name: u32, name_size: u32, argument: u32, size: u32, data: u32, given: u32) {
        let name = text(read(&mut caller, name, name_size)?);
        let argument = read(&mut caller, argument, size)?;
        if name != "set_envoy_filter_state" {
            return Err(NOT_FOUND);
        }
        let (path, value) = filter_state(&argument).ok_or(BAD_ARGUMENT)?;
        caller.data_mut().stream().ok_or(INTERNAL_FAILURE)?.filter_state.insert(path, value);
        give(&mut caller, &[], data, given)
    }
    proxy_send_local_response(
        caller, status: u32, _details: u32, _details_size: u32, body: u32, body_size: u32, headers: u32,
        headers_size: u32, _grpc: i32,
    ) {
        let body = read(&mut caller, body, body_size)?;
        let headers = deserialise(&read(&mut caller, headers, headers_size)?).ok_or(BAD_ARGUMENT)?;
        caller.data_mut().stream().ok_or(BAD_ARGUMENT)?.reply = Some(Reply { status, headers, body });
        Ok(())
    }
    proxy_set_tick_period_milliseconds(caller, period: u32) {
        caller.data_mut().tick_every(period);
        Ok(())
    }
    proxy_set_effective_context(caller, context: u32) {
        let state = caller.data_mut();
        if !state.has_context(context) {
            return Err(BAD_ARGUMENT);
        }
        state.effective = context;
        Ok(())
    }
    proxy_continue_stream(caller, _kind: u32) {
        let state = caller.data_mut();
        state.stream().ok_or(BAD_ARGUMENT)?.resumed = true;
        let context = state.effective;
        if state.profile.reenters { reenter(&mut caller, context) } else { Ok(()) }
    }
    proxy_close_stream(caller, _kind: u32) {
        let _ = &mut caller;
        Err(UNIMPLEMENTED)
    }
    proxy_done(caller) {
        let _ = &mut caller;
        Ok(())
    }
}

/// What `set_envoy_filter_state` is given: protobuf with path (1) and value (2), both texts shorter than 128 bytes.
fn filter_state(argument: &[u8]) -> Option<(String, String)> {
    let field = |bytes: &[u8], tag: u8| {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(head[1]))?;
        (head[0] == tag).then(|| (text(value.to_vec()), rest.to_vec()))
    };
    let (path, rest) = field(argument, 0x0A)?;
    let (value, _) = field(&rest, 0x12)?;
    Some((path, value))
}

/// The few functions of WASI that Rust's standard library asks for.
pub(crate) fn define_wasi(linker: &mut Linker<State>) -> Result<(), wasmi::Error> {
    const MODULE: &str = "wasi_snapshot_preview1";
    linker.func_wrap(MODULE, "proc_exit", |code: u32| -> Result<(), wasmi::Error> {
        Err(wasmi::Error::new(format!("proc_exit({code})")))
    })?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: Caller<'_, State>, _fd: u32, at: u32, count: u32, out: u32| {
            let mut written = 0;
            for n in 0..count {
                let Ok(vector) = read(&mut caller, at + 8 * n, 8) else { return 21 };
                let number = |from: usize| {
                    u32::from_le_bytes([vector[from], vector[from + 1], vector[from + 2], vector[from + 3]])
                };
                let Ok(line) = read(&mut caller, number(0), number(4)) else { return 21 };
                written += number(4);
                caller.data().process.tell(5, text(line));
            }
            u32::from(write(&mut caller, out, &written.to_le_bytes()).is_err()) * 21
        },
    )?;
    linker.func_wrap(MODULE, "environ_sizes_get", |mut caller: Caller<'_, State>, count: u32, size: u32| {
        let environment = &caller.data().environment;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let (variables, bytes) = (number(environment.len()), number(environment.iter().map(Vec::len).sum()));
        let written = write(&mut caller, count, &variables).and(write(&mut caller, size, &bytes));
        u32::from(written.is_err()) * 21
    })?;
    linker.func_wrap(MODULE, "environ_get", |mut caller: Caller<'_, State>, mut places: u32, mut at: u32| {
        for variable in caller.data().environment.clone() {
            if write(&mut caller, places, &at.to_le_bytes()).and(write(&mut caller, at, &variable)).is_err() {
                return 21;
            }
            places += 4;
            at += u32::try_from(variable.len()).unwrap_or(u32::MAX);
        }
        0_u32
    })?;
    linker.func_wrap(MODULE, "random_get", |mut caller: Caller<'_, State>, at: u32, size: u32| {
        let bytes = caller.data_mut().random(size as usize);
        u32::from(write(&mut caller, at, &bytes).is_err()) * 21
    })?;
    Ok(())
}
