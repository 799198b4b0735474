//! What runs each node of a session, as ONNX Runtime recorded it.

use std::ffi::{CStr, c_char};
use std::ptr;

use ort::AsPointer as _;
use ort::session::Session;
use ort::sys::{OrtEpAssignedNode, OrtEpAssignedSubgraph, OrtStatusPtr};

/// What runs a node of the graph, after ONNX Runtime has rewritten it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The node's name.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// ONNX Runtime's name of the provider.
    pub provider: String,
}

/// Option of a session without which nothing is recorded.
pub(crate) const RECORD: &str = "session.record_ep_graph_assignment_info";

/// The nodes of `session`, which was made with [`RECORD`]; the message where ONNX Runtime does not tell.
#[expect(unsafe_code, reason = "ort has no safe form of these functions yet")]
pub(crate) fn placements(session: &Session) -> Result<Vec<Placement>, String> {
    let api = ort::api();
    let (mut subgraphs, mut count): (*const *const OrtEpAssignedSubgraph, usize) = (ptr::null(), 0);
    // SAFETY: the session is alive, and the pointers that come back are its own and live as long.
    done(unsafe {
        (api.Session_GetEpGraphAssignmentInfo)(session.ptr(), &raw mut subgraphs, &raw mut count)
    })?;
    let mut placements = Vec::new();
    for i in 0..count {
        // SAFETY: the array has `count` entries.
        let subgraph = unsafe { *subgraphs.add(i) };
        let provider = text(|out| unsafe { (api.EpAssignedSubgraph_GetEpName)(subgraph, out) })?;
        let (mut nodes, mut count): (*const *const OrtEpAssignedNode, usize) = (ptr::null(), 0);
        // SAFETY: the subgraph is one of the session's.
        done(unsafe {
            (api.EpAssignedSubgraph_GetNodes)(subgraph, &raw mut nodes, &raw mut count)
        })?;
        for j in 0..count {
            // SAFETY: the array has `count` entries, which are nodes of the session's.
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

/// The text that `get` points to.
#[expect(unsafe_code, reason = "ort has no safe form of these functions yet")]
fn text(get: impl FnOnce(*mut *const c_char) -> OrtStatusPtr) -> Result<String, String> {
    let mut text = ptr::null();
    done(get(&raw mut text))?;
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: a string of the session's that ends with a zero.
    Ok(unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned())
}

#[expect(unsafe_code, reason = "ort has no safe form of these functions yet")]
fn done(status: OrtStatusPtr) -> Result<(), String> {
    // SAFETY: a status that was just returned, and is released here.
    unsafe { ort::Error::result_from_status(status) }.map_err(|error| error.to_string())
}
