//! The provider of each node of a session, as ONNX Runtime recorded it.

use std::ffi::{CStr, c_char};
use std::ptr;

use ort::AsPointer as _;
use ort::session::Session;
use ort::sys::{OrtEpAssignedNode, OrtEpAssignedSubgraph, OrtStatusPtr};

/// A node of the optimized graph, and the provider that runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Name of the node.
    pub node: String,
    /// Operator of the node.
    pub operator: String,
    /// ONNX Runtime's name of the provider.
    pub provider: String,
}

/// Session option that makes ONNX Runtime record the providers.
pub(crate) const RECORD: &str = "session.record_ep_graph_assignment_info";

/// Returns the nodes of `session`, which was created with [`RECORD`], or ONNX Runtime's error message.
#[expect(unsafe_code, reason = "ort has no safe form of these functions yet")]
pub(crate) fn placements(session: &Session) -> Result<Vec<Placement>, String> {
    let api = ort::api();
    let (mut subgraphs, mut count): (*const *const OrtEpAssignedSubgraph, usize) = (ptr::null(), 0);
    // SAFETY: the session is alive, and the returned pointers belong to it and live as long.
    done(unsafe {
        (api.Session_GetEpGraphAssignmentInfo)(session.ptr(), &raw mut subgraphs, &raw mut count)
    })?;
    let mut placements = Vec::new();
    for i in 0..count {
        // SAFETY: the array has `count` entries.
        let subgraph = unsafe { *subgraphs.add(i) };
        let provider = text(|out| unsafe { (api.EpAssignedSubgraph_GetEpName)(subgraph, out) })?;
        let (mut nodes, mut count): (*const *const OrtEpAssignedNode, usize) = (ptr::null(), 0);
        // SAFETY: the subgraph belongs to the session.
        done(unsafe {
            (api.EpAssignedSubgraph_GetNodes)(subgraph, &raw mut nodes, &raw mut count)
        })?;
        for j in 0..count {
            // SAFETY: the array has `count` entries, which are nodes of the session.
            let node = unsafe { *nodes.add(j) };
            placements.push(Placement {
                node: text(|out| unsafe { (api.EpAssignedNode_GetName)(node, out) })?,
                operator: text(|out| unsafe { (api.EpAssignedNode_GetOperatorType)(node, out) })?,
                provider: provider.clone(),
            });
        }
    }
    Ok(placements)
}

/// Returns the text that `get` points to.
#[expect(unsafe_code, reason = "ort has no safe form of these functions yet")]
fn text(get: impl FnOnce(*mut *const c_char) -> OrtStatusPtr) -> Result<String, String> {
    let mut text = ptr::null();
    done(get(&raw mut text))?;
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the string belongs to the session and ends with a zero.
    Ok(unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned())
}

#[expect(unsafe_code, reason = "ort has no safe form of these functions yet")]
fn done(status: OrtStatusPtr) -> Result<(), String> {
    // SAFETY: the status was just returned, and it is released here.
    unsafe { ort::Error::result_from_status(status) }.map_err(|error| error.to_string())
}
