//! The module's memory, as host functions read and write it.

use crate::vm::State;
use wasmi::{Caller, Memory};

/// A status other than Ok.
pub(crate) type Status = u32;

pub(crate) const NOT_FOUND: Status = 1;
pub(crate) const BAD_ARGUMENT: Status = 2;
pub(crate) const INVALID_MEMORY: Status = 6;
pub(crate) const CAS_MISMATCH: Status = 8;
pub(crate) const INTERNAL_FAILURE: Status = 10;

fn memory(caller: &mut Caller<'_, State>) -> Result<Memory, Status> {
    caller.get_export("memory").and_then(wasmi::Extern::into_memory).ok_or(INVALID_MEMORY)
}

/// Bytes that the module points at.
pub(crate) fn read(caller: &mut Caller<'_, State>, at: u32, size: u32) -> Result<Vec<u8>, Status> {
    let memory = memory(caller)?;
    let end = (at as usize).checked_add(size as usize).ok_or(INVALID_MEMORY)?;
    memory.data(&caller).get(at as usize..end).map(<[u8]>::to_vec).ok_or(INVALID_MEMORY)
}

/// Writes bytes where the module points.
pub(crate) fn write(caller: &mut Caller<'_, State>, at: u32, bytes: &[u8]) -> Result<(), Status> {
    let memory = memory(caller)?;
    memory.write(caller, at as usize, bytes).map_err(|_| INVALID_MEMORY)
}

/// Gives bytes to the module, in a block that it allocates; tells it where and how many.
pub(crate) fn give(caller: &mut Caller<'_, State>, bytes: &[u8], data: u32, size: u32) -> Result<(), Status> {
    let length = u32::try_from(bytes.len()).map_err(|_| INVALID_MEMORY)?;
    let mut at = 0;
    if length > 0 {
        let allocate = caller.get_export("proxy_on_memory_allocate").and_then(wasmi::Extern::into_func);
        let allocate = allocate.ok_or(INVALID_MEMORY)?.typed::<u32, u32>(&caller).map_err(|_| INVALID_MEMORY)?;
        at = allocate.call(&mut *caller, length).map_err(|_| INVALID_MEMORY)?;
        if at == 0 {
            return Err(INVALID_MEMORY);
        }
        write(caller, at, bytes)?;
    }
    write(caller, data, &at.to_le_bytes())?;
    write(caller, size, &length.to_le_bytes())
}

/// Comes back with a stream, of whose body nothing new is there.
pub(crate) fn reenter(caller: &mut Caller<'_, State>, context: u32) -> Result<(), Status> {
    let body = caller.get_export("proxy_on_request_body").and_then(wasmi::Extern::into_func).ok_or(INTERNAL_FAILURE)?;
    let body = body.typed::<(u32, u32, u32), u32>(&caller).map_err(|_| INTERNAL_FAILURE)?;
    body.call(&mut *caller, (context, 0, 0)).map(drop).map_err(|_| INTERNAL_FAILURE)
}
